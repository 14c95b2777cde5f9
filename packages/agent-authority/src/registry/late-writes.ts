import { LinkedMap } from "@countersign/agent-key";
import type { AuthorityStore, Rows } from "../store/authority-store.js";
import { runLater } from "./run-later.js";

const WRITE_AFTER_MS = 100;
// Requests are not held up by what they leave behind: beyond this many, a write is dropped, and the next of its name is made.
const MAX_WAITING = 100;
const MAX_NOTED = 10_000;

/** Something that a request leaves behind. */
export interface LateWrite {
  /** What it is about. Writes are made in the order of their names. */
  readonly name: string;
  write(rows: Rows): Promise<unknown>;
  /** How long nothing more of this name is written, also if the database refuses it. */
  readonly pauseMs: number;
}

/** What requests leave behind for one database, written after their answers, for several together. If the process ends, the last of it is lost. */
class LateWrites {
  readonly #store: AuthorityStore;
  readonly #waiting = new Map<string, LateWrite>();
  /** When each name was last queued. */
  readonly #noted = new LinkedMap<string, number>(MAX_NOTED);
  readonly #writeSoon = runLater(() => this.#write(), WRITE_AFTER_MS);

  constructor(store: AuthorityStore) {
    this.#store = store;
  }

  add(late: LateWrite, epochMs: number): void {
    const { name, pauseMs } = late;
    const last = this.#noted.get(name);
    if (last !== undefined && Math.abs(epochMs - last) < pauseMs) return;
    if (this.#waiting.size >= MAX_WAITING) return;
    this.#noted.set(name, epochMs);
    this.#waiting.set(name, late);
    this.#writeSoon();
  }

  async #write(): Promise<void> {
    // In one order everywhere, so that two processes do not wait for each other's rows.
    const writes = [...this.#waiting.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    this.#waiting.clear();
    try {
      await this.#store.transaction(async (rows) => {
        for (const late of writes) await late.write(rows);
      });
    } catch {
      // No caller waits for these writes. The next one of each name is made again.
    }
  }
}

const ofStores = new WeakMap<AuthorityStore, LateWrites>();

/** Makes a write after the answer of the request that it comes from, unless one of its name was made a short while ago, or too much waits. */
export function writeLate(store: AuthorityStore, late: LateWrite, epochMs: number): void {
  const writes = ofStores.get(store) ?? new LateWrites(store);
  ofStores.set(store, writes);
  writes.add(late, epochMs);
}
