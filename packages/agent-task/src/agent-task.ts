import type { AgentSigner } from "@countersign/agent-key";

/** The scope of this process: one task shared by everything that belongs to no thread. Random for each manager, never stored. */
export const RUN: unique symbol = Symbol("countersign.run");

/**
 * What a task is for: the id of a thread, or any name (1 to 256 Unicode characters without control characters), or {@link RUN}.
 *
 * @see docs/protocol.md §3
 */
export type TaskScope = string | typeof RUN;

/** A task that the authority registered for an agent, with the key that signs for it. */
export interface AgentTask {
  /** The authority that made the ids, normalised. */
  readonly authority: string;
  readonly agentRuntimeId: string;
  readonly taskId: string;
  /** The agent's key. Secret. */
  readonly key: AgentSigner;
  readonly scope: TaskScope;
  /** When it was registered, RFC 3339. */
  readonly registeredAt: string;
  /** When it ends, epoch milliseconds by the authority's clock. Absent: it has no known end. */
  readonly expiresAt?: number | undefined;
}
