/** Who sent a request: proven, and allowed at the instant it was checked. */
export interface VerifiedAssertion {
  /** The authority that vouches for the ids; they mean nothing without it. */
  readonly authority: string;
  readonly agentRuntimeId: string;
  readonly taskId: string;
  readonly accountId: string;
  readonly userId: string;
  /** The capabilities that the authority granted. */
  readonly capabilities: readonly string[];
  /** When the assertion was made by the agent's clock, epoch milliseconds, a whole second. */
  readonly issuedAt: number;
  /** The agent's clock less the verifier's, whole seconds: negative for an assertion that was made earlier. */
  readonly skewSeconds: number;
  /**
   * The components of the request that the agent signed (names of RFC 9421). If empty, the assertion is not bound to a request: anyone who
   * reads it can present it elsewhere until its time is over.
   */
  readonly covered: readonly string[];
}

/** What a resource server allows beyond a valid assertion (protocol.md V-7). */
export interface AssertionPolicy {
  /** The accounts that are served. Absent: every account of the authority. Empty: none. */
  readonly accounts?: readonly string[] | undefined;
  /** A capability that the authority must have granted to the agent. Absent: none is needed. */
  readonly capability?: string | undefined;
}
