import type { Code, CountersignErrorOptions } from "@countersign/agent-key";
import { AgentAuthorityError } from "../agent-authority-error.js";

/**
 * A request that the authority answers with a refusal. What the transaction did before stays done, a spent biscuit above all; so every
 * check stands before the first change.
 */
export class Refusal extends AgentAuthorityError {
  /** The status to answer with, where it is not that of the code. */
  readonly status: number | undefined;

  constructor(code: Code, message: string, options: RefusalOptions = {}) {
    super(code, message, options);
    this.status = options.status;
  }
}

interface RefusalOptions extends CountersignErrorOptions {
  readonly status?: number | undefined;
}
