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

/** Tells whether an error of a request is that the database cannot be used: nothing of the request was wrong. */
export function isStoreFailure(error: unknown): error is AgentAuthorityError {
  if (!AgentAuthorityError.is(error) || !FAILURES.has(error.code)) return false;
  // Without a cause of the driver it is one row that cannot be read.
  return error.code !== "store_corrupt" || error.cause !== undefined;
}
