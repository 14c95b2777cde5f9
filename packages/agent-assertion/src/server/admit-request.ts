import type { IncomingMessage, ServerResponse } from "node:http";
import type { VerifiedAssertion } from "../verify/verified-assertion.js";
import { answerRefusal } from "./answer-refusal.js";
import type { MiddlewareOptions } from "./middleware-options.js";
import { oncePerRequest } from "./once-per-request.js";
import { passesWithoutAgent } from "./passes-without-agent.js";
import { reportError } from "./report-error.js";
import { requirePolicy } from "./require-policy.js";
import { verifyRequest } from "./verify-request.js";

/** What a check on Node's request and response takes; `R` is what the hook gets to see. */
export interface AdmitOptions<R> extends MiddlewareOptions<R> {
  /**
   * Gives the exact bytes of a body that something read before the check, as serverless platforms do. Default: the body is read from the
   * request, and put back.
   */
  readonly rawBody?: ((request: IncomingMessage) => Uint8Array | undefined) | undefined;
}

/** Verifies a request, or answers it. @returns `answered`; `undefined`: it goes on without an agent */
export async function admitRequest<R extends IncomingMessage>(
  request: R,
  response: ServerResponse,
  options: AdmitOptions<R>,
): Promise<VerifiedAssertion | "answered" | undefined> {
  const { verifier, policy, rawBody, clientAddress, onError, onMissing } = options;
  try {
    const assertion = await oncePerRequest(request, verifier, () =>
      verifyRequest(request, {
        verifier,
        rawBody,
        clientAddress: clientAddress?.(request) ?? ipOf(request),
      }),
    );
    requirePolicy(assertion, policy);
    return assertion;
  } catch (error) {
    if (passesWithoutAgent(error, onMissing)) return undefined;
    answerRefusal(response, error);
    reportError(onError, error, request);
    return "answered";
  }
}

// Express finds it by its own setting of trusted proxies.
function ipOf(request: IncomingMessage): string | undefined {
  return "ip" in request && typeof request.ip === "string" ? request.ip : undefined;
}
