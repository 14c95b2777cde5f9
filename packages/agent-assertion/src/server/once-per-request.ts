import type { AssertionVerifier } from "../verify/create-verifier.js";
import type { VerifiedAssertion } from "../verify/verified-assertion.js";

const accepted = new WeakMap<object, Map<AssertionVerifier, VerifiedAssertion>>();

/**
 * Verifies a request at most once for each verifier, so that a check may stand before a whole server and a narrower one before one route:
 * a bound request that were verified twice would be `replayed`.
 */
export async function oncePerRequest(
  request: object,
  verifier: AssertionVerifier,
  verify: () => Promise<VerifiedAssertion>,
): Promise<VerifiedAssertion> {
  const before = accepted.get(request)?.get(verifier);
  if (before !== undefined) return before;
  const assertion = await verify();
  const byVerifier = accepted.get(request) ?? new Map<AssertionVerifier, VerifiedAssertion>();
  accepted.set(request, byVerifier.set(verifier, assertion));
  return assertion;
}
