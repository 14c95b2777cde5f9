import type { Code, CountersignErrorOptions } from "@countersign/agent-key";
import { AgentAuthorityError } from "../agent-authority-error.js";
import type { Principal } from "./principal.js";

/**
 * A request that the authority answers with a refusal. What the transaction did before stays done, a spent biscuit above all; so every
 * check stands before the first change.
 */
export class Refusal extends AgentAuthorityError {
  /** The status to answer with, where it is not that of the code. */
  readonly status: number | undefined;
  /** Whose credential held, where it is theirs that is refused: for the audit log alone. */
  readonly principal: Principal | undefined;

  constructor(code: Code, message: string, options: RefusalOptions = {}) {
    super(code, message, options);
    this.status = options.status;
    this.principal = options.principal;
  }
}

interface RefusalOptions extends CountersignErrorOptions {
  readonly status?: number | undefined;
  readonly principal?: Principal | undefined;
}
