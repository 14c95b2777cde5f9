import { agentAttributes, isTracing, startSpan } from "@countersign/agent-key/tracing";
import { type AssertionHooks, callHook, toRefused } from "./assertion-hooks.js";
import { AssertionRejected } from "./assertion-rejected.js";
import type { AssertionVerifier } from "./assertion-verifier.js";
import type { VerifiedAssertion } from "./verified-assertion.js";

/** Lets hooks and spans see what a verifier decides. With neither it is the same verifier. */
export function observeVerifier(
  verifier: AssertionVerifier,
  hooks: AssertionHooks,
): AssertionVerifier {
  const { onVerified, onRefused } = hooks;
  const isHooked = onVerified !== undefined || onRefused !== undefined;
  return {
    ...verifier,
    verify(header, options) {
      const check = () => verifier.verify(header, options);
      return isHooked || isTracing() ? observe(check, hooks) : check();
    },
    async recheck(assertion, options) {
      try {
        await verifier.recheck(assertion, options);
      } catch (error) {
        callHook(onRefused, toRefused(error));
        throw error;
      }
    },
  };
}

async function observe(
  check: () => Promise<VerifiedAssertion>,
  { onVerified, onRefused }: AssertionHooks,
): Promise<VerifiedAssertion> {
  const span = startSpan("verify AgentAssertion", {
    tracer: "@countersign/agent-assertion",
    kind: "internal",
  });
  try {
    const caller = await (span === undefined ? check() : span.run(check));
    span?.set(agentAttributes(caller));
    span?.end();
    callHook(onVerified, caller);
    return caller;
  } catch (error) {
    const refused = toRefused(error);
    span?.set(agentAttributes(refused.proven ?? {}));
    span?.end({ code: refused.code, isError: !AssertionRejected.is(error) });
    callHook(onRefused, refused);
    throw error;
  }
}
