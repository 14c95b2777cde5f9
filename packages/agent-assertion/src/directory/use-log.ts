import { LinkedMap } from "@countersign/agent-key";

const MAX_WAITING = 10_000;
const MAX_TASKS = 10_000;
const TASK_PAUSE_MS = 10 * 60_000;

/** An accepted assertion, as it is reported. */
export interface AgentUse {
  readonly agentRuntimeId: string;
  /** Absent: the task's own use need not be reported yet. */
  readonly taskId?: string | undefined;
  /** Epoch milliseconds of the reporter's clock. */
  readonly at: number;
}

/** The most uses of one report, and the most characters of their ids, so that a report fits into what an authority reads of one request. */
const MAX_BATCH = 400;
const MAX_ID_CHARACTERS = 32_000;

/**
 * The uses that are still to be reported: of each agent the last one, of each task the first one and then one in ten minutes. Bounded: what does
 * not fit is dropped and counted.
 */
export class UseLog {
  readonly #waiting = new Map<string, AgentUse>();
  /** When a use of each task was last taken for a report. */
  readonly #tasks = new LinkedMap<string, number>(MAX_TASKS);
  #dropped = 0;

  get size(): number {
    return this.#waiting.size;
  }

  note(agentRuntimeId: string, taskId: string, at: number): void {
    this.#add(agentRuntimeId, { agentRuntimeId, at });
    // No id holds a slash (protocol.md §3).
    const name = `${agentRuntimeId}/${taskId}`;
    const last = this.#tasks.get(name);
    if (last !== undefined && Math.abs(at - last) < TASK_PAUSE_MS) return;
    if (this.#add(name, { agentRuntimeId, taskId, at })) this.#tasks.set(name, at);
  }

  /** Takes the next report's uses out, those that wait longest. */
  take(): readonly AgentUse[] {
    const batch: AgentUse[] = [];
    let characters = 0;
    for (const [name, use] of this.#waiting) {
      characters += use.agentRuntimeId.length + (use.taskId?.length ?? 0);
      if (batch.length === MAX_BATCH || characters > MAX_ID_CHARACTERS) break;
      batch.push(use);
      this.#waiting.delete(name);
    }
    return batch;
  }

  /** Puts uses that could not be reported back, unless later ones wait. */
  putBack(batch: readonly AgentUse[]): void {
    for (const use of batch) {
      const name = nameOf(use);
      if (!this.#waiting.has(name)) this.#add(name, use);
    }
  }

  /** Gives uses up. The next use of each task is reported again. */
  drop(batch: readonly AgentUse[]): void {
    this.#dropped += batch.length;
    for (const use of batch) this.#tasks.delete(nameOf(use));
  }

  /** How many uses were dropped since the last call. */
  takeDropped(): number {
    const dropped = this.#dropped;
    this.#dropped = 0;
    return dropped;
  }

  /** @returns whether there was room */
  #add(name: string, use: AgentUse): boolean {
    if (this.#waiting.size >= MAX_WAITING && !this.#waiting.has(name)) {
      this.#dropped += 1;
      return false;
    }
    this.#waiting.set(name, use);
    return true;
  }
}

function nameOf({ agentRuntimeId, taskId }: AgentUse): string {
  return taskId === undefined ? agentRuntimeId : `${agentRuntimeId}/${taskId}`;
}
