/**
 * Objects of which many come and go, in no order.
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
    const last = index < 0 ? undefined : this.#members.pop();
    if (last !== undefined && last !== member) this.#members[index] = last;
  }

  /** Iterates over those that are in it when the iteration begins. */
  [Symbol.iterator](): Iterator<T> {
    return this.#members.slice().values();
  }
}
