import type { CountersignErrorOptions } from "@countersign/agent-key";
import { AgentAssertionError } from "../agent-assertion-error.js";

/** What an {@link UnreadableBody} carries beside its message. */
export interface UnreadableBodyOptions extends CountersignErrorOptions {
  /** The HTTP status to answer with, if another than that of the code. */
  readonly status?: number | undefined;
}

/**
 * The body of a bound request could not be read whole, so that nothing can be compared with its digest.
 *
 * Codes: `invalid_request` (longer than the verifier takes, or of a length that is not said where it has to be), `cancelled` (the client
 * went away), `config_invalid` (something else on this server read it before).
 */
export class UnreadableBody extends AgentAssertionError {
  static override readonly brandName: string = "UnreadableBody";
  /** The HTTP status to answer with; absent: that of the code. */
  readonly status: number | undefined;

  constructor(
    code: "invalid_request" | "cancelled" | "config_invalid",
    message: string,
    options: UnreadableBodyOptions = {},
  ) {
    super(code, message, options);
    this.status = options.status;
  }
}
