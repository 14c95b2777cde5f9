/**
 * Objects of which many come and go, in the order in which they came.
 *
 * No `Set`, because V8 makes the tables of a long-lived one in its old generation. One that was replaced keeps what was in it until the
 * next full collection: all requests of the time between, with everything that they hold.
 */
export class OpenSet<T extends object> implements Iterable<T> {
  readonly #members: T[] = [];

  get size(): number {
    return this.#members.length;
  }

  /** @param member - is not in it yet */
  add(member: T): void {
    this.#members.push(member);
  }

  delete(member: T): void {
    const index = this.#members.indexOf(member);
    if (index >= 0) this.#members.splice(index, 1);
  }

  /** Iterates over the members at the time when the iteration begins, the oldest first. */
  [Symbol.iterator](): Iterator<T> {
    return this.#members.slice().values();
  }
}
