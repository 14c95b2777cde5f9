import { LinkedMap } from "@countersign/agent-key";

interface Share<V> {
  readonly owner: string;
  /** The one that was used longest ago comes first. */
  readonly entries: LinkedMap<string, V>;
}

/**
 * Keeps a bounded number of entries. When there are too many, the owner with the most entries loses its least recently used entry first, so one
 * owner cannot evict the entries of the others. Every operation takes constant time.
 */
export class FairLru<V> {
  readonly #maxEntries: number;
  readonly #shares = new Map<string, Share<V>>();
  readonly #shareOf = new Map<string, Share<V>>();
  /** Shares by their number of entries; among equals, the one that was used longest ago comes first. */
  readonly #bySize = new Map<number, LinkedMap<Share<V>, true>>();
  #largest = 0;

  constructor(maxEntries: number) {
    this.#maxEntries = maxEntries;
  }

  /** How many entries are kept. */
  get size(): number {
    return this.#shareOf.size;
  }

  /** The entry, which counts as used now. */
  get(name: string): V | undefined {
    const share = this.#shareOf.get(name);
    const value = share?.entries.get(name);
    if (share === undefined || value === undefined) return undefined;
    share.entries.set(name, value);
    this.#file(share, share.entries.size);
    return value;
  }

  /** The entry, without counting as a use. */
  peek(name: string): V | undefined {
    return this.#shareOf.get(name)?.entries.get(name);
  }

  set(name: string, owner: string, value: V): void {
    this.delete(name);
    const share = this.#shares.get(owner) ?? { owner, entries: new LinkedMap<string, V>() };
    const size = share.entries.size;
    share.entries.set(name, value);
    this.#shares.set(owner, share);
    this.#shareOf.set(name, share);
    this.#file(share, size);
    if (this.#shareOf.size > this.#maxEntries) this.#evict();
  }

  delete(name: string): void {
    const share = this.#shareOf.get(name);
    if (share === undefined) return;
    const size = share.entries.size;
    share.entries.delete(name);
    this.#shareOf.delete(name);
    if (share.entries.size === 0) this.#shares.delete(share.owner);
    this.#file(share, size);
  }

  #evict(): void {
    for (const [share] of this.#bySize.get(this.#largest) ?? []) {
      for (const [oldest] of share.entries) {
        this.delete(oldest);
        return;
      }
    }
  }

  // Puts a share that had `sizeBefore` entries where it belongs now, as the one that was used last.
  #file(share: Share<V>, sizeBefore: number): void {
    const before = this.#bySize.get(sizeBefore);
    before?.delete(share);
    if (before?.size === 0) this.#bySize.delete(sizeBefore);
    const { size } = share.entries;
    if (size > 0) {
      const equals = this.#bySize.get(size) ?? new LinkedMap();
      this.#bySize.set(size, equals.set(share, true));
    }
    // Sizes change by one, so that the largest is this one or the one it was.
    this.#largest = Math.max(size, this.#bySize.has(this.#largest) ? this.#largest : size);
  }
}
