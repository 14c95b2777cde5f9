import type { CountersignErrorOptions } from "@countersign/agent-key";
import type { CodeWith } from "@countersign/agent-key/codes";
import { AgentAssertionError } from "../agent-assertion-error.js";

/** The codes with which a verifier rejects, in the order of their checks (protocol.md §8, §9). */
export type RejectionCode = CodeWith<"givenBy", "verifier">;

/** Whom a rejected assertion names. */
export interface RejectedCaller {
  readonly agentRuntimeId: string;
  readonly taskId: string;
  /** The agent's account; absent until the signature held. */
  readonly accountId?: string | undefined;
  /** The agent's user; absent until the signature held. */
  readonly userId?: string | undefined;
}

/** What an {@link AssertionRejected} carries beside its message. */
export interface AssertionRejectedOptions extends CountersignErrorOptions {
  readonly claimed?: RejectedCaller | undefined;
  readonly proven?: RejectedCaller | undefined;
}

/**
 * An assertion that a verifier does not accept. `code` names the first check that failed.
 *
 * Answer it with `createProblem(error.code)`. The message says no more than the code. Neither discloses the state of an agent or a task unless
 * the signature was valid.
 *
 * @see protocol.md §8
 */
export class AssertionRejected extends AgentAssertionError {
  static override readonly brandName: string = "AssertionRejected";
  /** Narrows the code of the base class. */
  declare readonly code: RejectionCode;
  /** Whom a well-formed assertion says it comes from. Anybody can write that: not for limits, not as identity in a log. */
  readonly claimed: RejectedCaller | undefined;
  /** Whom it came from, once the signature held; then the same ids as in `claimed`. */
  readonly proven: RejectedCaller | undefined;

  constructor(code: RejectionCode, message: string, options: AssertionRejectedOptions = {}) {
    super(code, message, options);
    this.claimed = options.claimed;
    this.proven = options.proven;
  }
}
