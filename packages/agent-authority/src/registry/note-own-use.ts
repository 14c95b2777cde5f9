import { LinkedMap } from "@countersign/agent-key";
import type { AuthorityStore } from "../store/authority-store.js";
import { noteUses } from "./note-uses.js";
import { runLater } from "./run-later.js";
import { instantOf } from "./times.js";

const WRITE_AFTER_MS = 1_000;
const AGENT_PAUSE_MS = 60_000;
const TASK_PAUSE_MS = 10 * 60_000;
// No request is held up by what it leaves behind: beyond this many, a use is dropped, and the next one of the agent is noted.
const MAX_WAITING = 400;
const MAX_NOTED = 10_000;
const REPORTER = { name: "database", accounts: undefined };

interface OwnUse {
  readonly agentRuntimeId: string;
  readonly taskId: string;
  readonly epochMs: number;
}

/** Uses that were seen on the database itself, and are still to be written to it. */
class OwnUses {
  readonly #store: AuthorityStore;
  readonly #waiting = new Map<string, OwnUse>();
  /** When a use of each agent and of each task was last noted. */
  readonly #noted = new LinkedMap<string, number>(MAX_NOTED);
  // One after another: on a database that is held up, they would take all of its connections.
  readonly #writeSoon = runLater(() => this.#write(), WRITE_AFTER_MS);

  constructor(store: AuthorityStore) {
    this.#store = store;
  }

  note(use: OwnUse): void {
    const { agentRuntimeId, taskId, epochMs } = use;
    const isDue = (name: string, pauseMs: number) => {
      const last = this.#noted.get(name);
      return last === undefined || Math.abs(epochMs - last) >= pauseMs;
    };
    // No id holds a slash (protocol §3).
    const task = `${agentRuntimeId}/${taskId}`;
    if (!isDue(agentRuntimeId, AGENT_PAUSE_MS) && !isDue(task, TASK_PAUSE_MS)) return;
    if (this.#waiting.size >= MAX_WAITING && !this.#waiting.has(task)) return;
    this.#noted.set(agentRuntimeId, epochMs).set(task, epochMs);
    this.#waiting.set(task, use);
    this.#writeSoon();
  }

  async #write(): Promise<void> {
    const instant = instantOf(this.#store.now);
    const uses = [...this.#waiting.values()].map(({ agentRuntimeId, taskId, epochMs }) => ({
      agentRuntimeId,
      taskId,
      secondsAgo: Math.max(0, Math.floor((instant.epochMs - epochMs) / 1_000)),
    }));
    this.#waiting.clear();
    try {
      await noteUses(this.#store, uses, REPORTER, instant);
    } catch {
      // No caller waits for this write. The next uses are noted again.
    }
  }
}

const usesOfStores = new WeakMap<AuthorityStore, OwnUses>();

/**
 * Notes that an assertion was accepted by a verifier that reads the database itself. It is written a second later, for many together. An agent is
 * due once a minute, and a task that was not noted for ten minutes at once, with its agent. If the process ends, the last of it is lost.
 */
export function noteOwnUse(store: AuthorityStore, agentRuntimeId: string, taskId: string): void {
  const uses = usesOfStores.get(store) ?? new OwnUses(store);
  usesOfStores.set(store, uses);
  uses.note({ agentRuntimeId, taskId, epochMs: store.now() });
}
