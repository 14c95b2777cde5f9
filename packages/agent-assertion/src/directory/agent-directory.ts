import type { AgentPublicKey } from "@countersign/agent-key";

/** Whether an agent or a task may still act. */
export type LifeState = "active" | "revoked" | "expired";

/** What an authority says about an agent. */
export interface AgentRecord {
  readonly agentRuntimeId: string;
  readonly accountId: string;
  readonly userId: string;
  /** The granted ones, not those asked for. */
  readonly capabilities: readonly string[];
  /** One, or two while a key is being rotated. */
  readonly publicKeys: readonly AgentPublicKey[];
  readonly state: LifeState;
  /** Epoch milliseconds from which on the agent is expired, whatever `state` says. */
  readonly expiresAt?: number | undefined;
}

/** What an authority says about a task. */
export interface TaskRecord {
  readonly taskId: string;
  readonly state: LifeState;
  /** Epoch milliseconds from which on the task is expired, whatever `state` says. */
  readonly expiresAt?: number | undefined;
}

/** Options of {@link AgentDirectory} calls. */
export interface AgentDirectoryOptions {
  readonly signal?: AbortSignal | undefined;
  /**
   * The id of the request for which this is asked, for the log of what answers. `remoteDirectory` sends it as `X-Request-Id` if it
   * is 1 to 128 visible ASCII characters; the authority makes one of its own if it does not take it. Requests that share one question share the id of the first. Default none.
   */
  readonly requestId?: string | undefined;
}

/** Options of {@link AgentDirectory.agent}. */
export interface AgentLookupOptions extends AgentDirectoryOptions {
  /**
   * A record that this directory gave before, under whose keys a signature is not valid. A directory that keeps records asks the authority
   * whether the agent's key was rotated since. It limits how often it asks, because an attacker can send wrong signatures on purpose. A directory
   * that keeps no records may ignore this option.
   */
  readonly insteadOf?: AgentRecord | undefined;
}

/**
 * Where a verifier learns about the agents and tasks of exactly one authority.
 *
 * `undefined` is a definite answer: the authority does not know it. A directory that cannot tell rejects instead, with a
 * `CountersignError` that is not an `AssertionRejected`.
 */
export interface AgentDirectory {
  /** The authority that it speaks for, normalised as `parseAuthority` does. */
  readonly authority: string;
  agent(agentRuntimeId: string, options?: AgentLookupOptions): Promise<AgentRecord | undefined>;
  /** The task of that agent; `undefined` also for a task of another agent. */
  task(
    agentRuntimeId: string,
    taskId: string,
    options?: AgentDirectoryOptions,
  ): Promise<TaskRecord | undefined>;
  /**
   * Called with each assertion that a verifier accepted, so that the authority can say when an agent was last used. It must return at once and wait
   * for nothing. Default: uses are not reported.
   */
  noteUse?(agentRuntimeId: string, taskId: string): void;
  /** Reports the uses that wait, within a second, and gives up connections, if it holds any. */
  close?(): Promise<void>;
}
