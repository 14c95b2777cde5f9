import type { Code } from "@countersign/agent-key";
import { AgentAuthorityError } from "../agent-authority-error.js";

// `config_invalid`: a pooler or a certificate file that was changed since the database was opened.
const FAILURES: ReadonlySet<Code> = new Set<Code>([
  "store_locked",
  "store_denied",
  "store_corrupt",
  "unreachable",
  "config_invalid",
]);

/** Returns whether a request failed because the database cannot be used, and not because of the request. */
export function isStoreFailure(error: unknown): error is AgentAuthorityError {
  if (!AgentAuthorityError.is(error) || !FAILURES.has(error.code)) return false;
  // Without a cause from the driver, a single row could not be read.
  return error.code !== "store_corrupt" || error.cause !== undefined;
}
