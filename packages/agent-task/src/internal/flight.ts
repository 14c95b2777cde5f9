import type { AgentTask } from "../agent-task.js";

/** A registration on its way, with the turns that wait for it. */
export interface Flight {
  /** Started ahead of time: its failure fails no turn. */
  readonly prewarm: boolean;
  readonly promise: Promise<AgentTask | undefined>;
  /** Ends it. Who comes after that starts another one. */
  readonly abort: () => void;
  waiters: number;
}
