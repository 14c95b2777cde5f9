interface Link<K, V> {
  readonly key: K;
  value: V;
  older: Link<K, V> | undefined;
  newer: Link<K, V> | undefined;
}

/**
 * A map in the order in which its entries were last set. With a bound, the entry that was set longest ago leaves when there are too many.
 *
 * Every operation takes constant time. A `Map` has the same order, but V8 finds its first entry by passing over the places of all that
 * were removed before: thousands of them in a full cache.
 */
export class LinkedMap<K, V> {
  readonly #maxEntries: number;
  readonly #links = new Map<K, Link<K, V>>();
  #oldest: Link<K, V> | undefined;
  #newest: Link<K, V> | undefined;

  /** @param maxEntries - 1 or more. Default: without a bound */
  constructor(maxEntries: number = Number.POSITIVE_INFINITY) {
    this.#maxEntries = maxEntries;
  }

  /** How many entries there are. */
  get size(): number {
    return this.#links.size;
  }

  /** The value of a key. The order stays. */
  get(key: K): V | undefined {
    return this.#links.get(key)?.value;
  }

  /** Sets the value of a key. Its entry is then the newest. */
  set(key: K, value: V): this {
    const known = this.#links.get(key);
    const link = known ?? { key, value, older: undefined, newer: undefined };
    if (known === undefined) this.#links.set(key, link);
    else this.#unlink(known);
    link.value = value;
    this.#append(link);
    if (this.size > this.#maxEntries && this.#oldest !== undefined) this.delete(this.#oldest.key);
    return this;
  }

  /** Removes an entry. @returns whether there was one */
  delete(key: K): boolean {
    const link = this.#links.get(key);
    if (link !== undefined) this.#unlink(link);
    return this.#links.delete(key);
  }

  /** Removes all entries. */
  clear(): void {
    this.#links.clear();
    this.#oldest = undefined;
    this.#newest = undefined;
  }

  /** The entries, the oldest first. The entry that was given last may be set or deleted before the next one is asked for. */
  *[Symbol.iterator](): Generator<[key: K, value: V], void, undefined> {
    let link = this.#oldest;
    while (link !== undefined) {
      const { key, value, newer } = link;
      yield [key, value];
      link = newer;
    }
  }

  #append(link: Link<K, V>): void {
    link.older = this.#newest;
    link.newer = undefined;
    if (this.#newest === undefined) this.#oldest = link;
    else this.#newest.newer = link;
    this.#newest = link;
  }

  #unlink(link: Link<K, V>): void {
    if (link.older === undefined) this.#oldest = link.newer;
    else link.older.newer = link.newer;
    if (link.newer === undefined) this.#newest = link.older;
    else link.newer.older = link.older;
  }
}
