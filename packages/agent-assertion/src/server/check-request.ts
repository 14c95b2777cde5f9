import { callHook, toRefused } from "../verify/assertion-hooks.js";
import type { VerifiedAssertion } from "../verify/verified-assertion.js";
import type { MiddlewareOptions } from "./middleware-options.js";
import { passesWithoutAgent } from "./passes-without-agent.js";
import { reportError } from "./report-error.js";
import { requirePolicy } from "./require-policy.js";

/** What a middleware has to do with a request. */
export type CheckedRequest =
  /** It goes on; without an agent if it carries no assertion and such requests may pass. */
  | { readonly kind: "passes"; readonly agent: VerifiedAssertion | undefined }
  /** It is answered by this error. */
  | { readonly kind: "refused"; readonly error: unknown };

/**
 * The one check of all middlewares: verifies a request, narrows by the route's policy, and calls the hooks. Never rejects.
 */
export async function checkRequest<R>(
  options: Omit<MiddlewareOptions<R>, "verifier" | "clientAddress">,
  request: R,
  verify: () => Promise<VerifiedAssertion>,
): Promise<CheckedRequest> {
  const { policy, onMissing, onError, onVerified, onRefused } = options;
  let agent: VerifiedAssertion;
  try {
    agent = await verify();
    requirePolicy(agent, policy);
  } catch (error) {
    if (passesWithoutAgent(error, onMissing)) return { kind: "passes", agent: undefined };
    if (onRefused !== undefined) callHook(onRefused, toRefused(error), request);
    reportError(onError, error, request);
    return { kind: "refused", error };
  }
  callHook(onVerified, agent, request);
  return { kind: "passes", agent };
}
