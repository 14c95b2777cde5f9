import { AuthorityError } from "@countersign/agent-identity/authority-client";

const OTHER_KEY =
  "give the agent a key that opens sealed boxes (an AgentKey, or a signer with toX25519PrivateKey())";

const HINTS = new Map([
  [
    "bad_signature",
    `the authority may be too old for plain task ids: update it, or ${OTHER_KEY}; otherwise it has another key for this agent, or another public URL than the one that is called`,
  ],
  [
    "forbidden",
    `if the authority gives no plain task ids, ask its operator to allow them (plain_task_ids = "accept") and to set its public URL, or ${OTHER_KEY}`,
  ],
]);

/**
 * The answer to a registration that asked for a plain task id. An authority that does not know them ignores `plain_task_id` and finds the
 * signature wrong, so its refusal gets a hint that says so.
 */
export async function withPlainHint<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    const hint = AuthorityError.is(error) ? HINTS.get(error.code) : undefined;
    if (!AuthorityError.is(error) || hint === undefined) throw error;
    const { code, message, status, retryAfterSeconds, retryable } = error;
    throw new AuthorityError(code, message, {
      cause: error,
      status,
      retryAfterSeconds,
      retryable,
      hint,
    });
  }
}
