import { createHmac, randomBytes } from "node:crypto";
import { type AgentSigner, encodeBase64Url } from "@countersign/agent-key";
import { AgentTaskError } from "./agent-task-error.js";

const PURPOSE = "countersign idempotency v1";
const VISIBLE_ASCII = /^[\x21-\x7e]{1,256}$/;

/**
 * Creates the `Idempotency-Key` of the first registration of a scope. The same agent and scope give the same key, so a thread whose local
 * state was lost gets the same task again. Only a holder of the agent's key can guess a thread's name from it, or see that two
 * agents use the same name.
 *
 * HMAC-SHA-256, key HKDF-SHA-256 of the seed, over the JSON array `[authority, agent_runtime_id, scope]`; base64url.
 *
 * @see docs/protocol.md §5.5
 */
export function createIdempotencyKey(
  key: Pick<Required<AgentSigner>, "deriveSecret">,
  authority: string,
  agentRuntimeId: string,
  scope: string,
): string {
  const text = JSON.stringify([authority, agentRuntimeId, scope]);
  return createHmac("sha256", key.deriveSecret(PURPOSE)).update(text).digest("base64url");
}

/** A fresh random `Idempotency-Key`, for a registration that replaces a task: the same key would give the same task again. */
export function createRandomIdempotencyKey(): string {
  return encodeBase64Url(randomBytes(32));
}

/**
 * Parses the `Idempotency-Key` of a request.
 *
 * @param header - the field value as the server received it; absent is allowed
 * @throws {AgentTaskError} `invalid_request` when it is present and not 1 to 256 visible ASCII characters, or present twice
 * @see docs/protocol.md §5.5
 */
export function parseIdempotencyKey(
  header: string | readonly string[] | undefined,
): string | undefined {
  if (header === undefined) return undefined;
  if (typeof header === "string" && VISIBLE_ASCII.test(header)) return header;
  throw new AgentTaskError(
    "invalid_request",
    "Idempotency-Key is not one to 256 visible characters",
  );
}
