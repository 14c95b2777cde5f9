import type { AuthorityStep, Fault } from "./authority-types.js";

interface Entry {
  readonly fault: Fault;
  left: number;
}

/** @internal Faults in the order they were given, for each step. */
export class FaultQueue {
  readonly #entries = new Map<AuthorityStep, Entry[]>();

  add(step: AuthorityStep, fault: Fault, times: number): void {
    const entries = this.#entries.get(step) ?? [];
    entries.push({ fault, left: times });
    this.#entries.set(step, entries);
  }

  next(step: AuthorityStep): Fault | undefined {
    const entries = this.#entries.get(step) ?? [];
    while (entries[0] !== undefined && entries[0].left <= 0) entries.shift();
    const entry = entries[0];
    if (entry !== undefined) entry.left -= 1;
    return entry?.fault;
  }

  clear(): void {
    this.#entries.clear();
  }
}
