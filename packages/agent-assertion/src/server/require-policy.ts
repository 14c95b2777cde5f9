import { AssertionRejected } from "../verify/assertion-rejected.js";
import type { AssertionPolicy, VerifiedAssertion } from "../verify/verified-assertion.js";

/**
 * Narrows what a verifier allows, for one route.
 *
 * @throws {AssertionRejected} `forbidden` when the account is not among those served, or the capability was not granted
 */
export function requirePolicy(
  assertion: VerifiedAssertion,
  policy: AssertionPolicy | undefined,
): void {
  const { accounts, capability } = policy ?? {};
  const isServed = accounts === undefined || accounts.includes(assertion.accountId);
  const isCapable = capability === undefined || assertion.capabilities.includes(capability);
  if (isServed && isCapable) return;
  const { agentRuntimeId, taskId, accountId, userId } = assertion;
  throw new AssertionRejected("forbidden", "the agent may not do this here", {
    claimed: { agentRuntimeId, taskId },
    proven: { agentRuntimeId, taskId, accountId, userId },
  });
}
