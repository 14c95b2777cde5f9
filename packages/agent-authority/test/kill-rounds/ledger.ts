import type { AgentKey } from "@countersign/agent-key";

/** A key that a client registers an agent with. */
export interface AgentEntry {
  readonly key: AgentKey;
  readonly userId: string;
  /** The ids that answers named. One, if all is well. */
  readonly ids: Set<string>;
}

/** A task that a client asks for. */
export interface TaskEntry {
  readonly agent: AgentEntry;
  /** Without one, each request that arrives is a task of its own. */
  readonly idempotencyKey: string | undefined;
  readonly ids: Set<string>;
  /** How often it was asked for. */
  attempts: number;
}

/** A biscuit, and what it was presented for. */
export interface BiscuitEntry {
  readonly biscuit: string;
  readonly spentOn: AgentEntry | TaskEntry;
  /** How often it was taken. */
  taken: number;
  /** How often it was refused. */
  refused: number;
}

/** Everything that clients asked an authority for, and what they were answered. */
export class Ledger {
  readonly agents: AgentEntry[] = [];
  /** Asked for with a biscuit that was spent on another: they are not to be there. */
  readonly barredAgents: AgentEntry[] = [];
  readonly tasks: TaskEntry[] = [];
  readonly biscuits: BiscuitEntry[] = [];
  /** Answers that no client should see, and what they were given to. */
  readonly unexpected: string[] = [];
  /** Registrations that were answered 2xx. */
  acknowledged = 0;
  /** Requests whose outcome their client never heard. */
  unknown = 0;
}
