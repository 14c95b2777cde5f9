import { LinkedMap } from "@countersign/agent-key";
import type { AuthorityStore } from "../store/authority-store.js";
import { prepareQuery } from "../store/prepared-query.js";
import { endAfterUse, type TaskEnds } from "./task-end.js";
import type { Instant } from "./times.js";

const WRITE_AFTER_MS = 100;
// Looks are not held up by what they leave behind: beyond this many, a use is dropped, and the next look at the task notes it.
const MAX_WAITING = 100;
const RETRY_MS = 60_000;
const MAX_NOTED = 10_000;

interface Use {
  readonly taskId: string;
  /** When the task was looked at. */
  readonly at: string;
  readonly end: string;
}

export const moveEnd = prepareQuery((rows, use: Use) =>
  rows
    .updateTable("tasks")
    .set({ expires_at: use.end })
    .where("task_id", "=", use.taskId)
    .where("revoked_at", "is", null)
    .where("expires_at", ">", use.at)
    .where("expires_at", "<", use.end),
);

/**
 * Notes that a task was looked at for an assertion of it, and returns the task with the end that it then has.
 *
 * The end is written after the answer, for several tasks together. Until then the answers of this process tell it.
 */
export function noteTaskUse<Task extends TaskEnds & { readonly task_id: string }>(
  store: AuthorityStore,
  task: Task,
  instant: Instant,
): Task {
  const end = endAfterUse(task, instant);
  if (end === undefined) return task;
  usesOf(store).note({ taskId: task.task_id, at: instant.text, end }, instant.epochMs);
  return { ...task, expires_at: end };
}

/** The uses of tasks that are still to be written to one database. */
class TaskUses {
  readonly #store: AuthorityStore;
  readonly #waiting = new Map<string, Use>();
  /** When each use was last queued: at most once in a minute, also if the database refuses the write. */
  readonly #noted = new LinkedMap<string, number>(MAX_NOTED);
  #isWriting = false;

  constructor(store: AuthorityStore) {
    this.#store = store;
  }

  note(use: Use, epochMs: number): void {
    const last = this.#noted.get(use.taskId);
    if (last !== undefined && Math.abs(epochMs - last) < RETRY_MS) return;
    if (this.#waiting.size >= MAX_WAITING) return;
    this.#noted.set(use.taskId, epochMs);
    this.#waiting.set(use.taskId, use);
    if (this.#isWriting) return;
    this.#isWriting = true;
    this.#writeSoon();
  }

  #writeSoon(): void {
    setTimeout(() => void this.#write(), WRITE_AFTER_MS).unref();
  }

  async #write(): Promise<void> {
    // In one order everywhere, so that two processes do not wait for each other's rows.
    const uses = [...this.#waiting.values()].sort((a, b) => (a.taskId < b.taskId ? -1 : 1));
    this.#waiting.clear();
    try {
      await this.#store.transaction(async (rows) => {
        for (const use of uses) await moveEnd(rows, use);
      });
    } catch {
      // No caller waits for this write. If the task is still used, its next use writes its end.
    }
    this.#isWriting = this.#waiting.size > 0;
    if (this.#isWriting) this.#writeSoon();
  }
}

const usesOfStores = new WeakMap<AuthorityStore, TaskUses>();

// One for each store, shared by all readers of its tasks: directory, introspection, gateways.
function usesOf(store: AuthorityStore): TaskUses {
  const uses = usesOfStores.get(store) ?? new TaskUses(store);
  usesOfStores.set(store, uses);
  return uses;
}
