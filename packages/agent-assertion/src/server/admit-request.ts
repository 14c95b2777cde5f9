import type { IncomingMessage, ServerResponse } from "node:http";
import type { VerifiedAssertion } from "../verify/verified-assertion.js";
import { answerRefusal } from "./answer-refusal.js";
import { checkRequest } from "./check-request.js";
import type { MiddlewareOptions } from "./middleware-options.js";
import { oncePerRequest } from "./once-per-request.js";
import { type RawBodyOption, verifyRequest } from "./verify-request.js";

/** What a check on Node's request and response takes; `R` is what the hook gets to see. */
export interface AdmitOptions<R> extends MiddlewareOptions<R>, RawBodyOption {}

/** Verifies a request, or answers it. @returns `answered`; `undefined`: it goes on without an agent */
export async function admitRequest<R extends IncomingMessage>(
  request: R,
  response: ServerResponse,
  options: AdmitOptions<R>,
): Promise<VerifiedAssertion | "answered" | undefined> {
  const { verifier, rawBody, clientAddress } = options;
  const checked = await checkRequest(options, request, () =>
    oncePerRequest(request, verifier, () =>
      verifyRequest(request, {
        verifier,
        rawBody,
        clientAddress: clientAddress?.(request) ?? ipOf(request),
      }),
    ),
  );
  if (checked.kind === "passes") return checked.agent;
  answerRefusal(response, checked.error);
  return "answered";
}

// Express finds it by its own setting of trusted proxies.
function ipOf(request: IncomingMessage): string | undefined {
  return "ip" in request && typeof request.ip === "string" ? request.ip : undefined;
}
