/** What is known of the lines of an audit that are not written yet, or never will be. */
export interface AuditState {
  /** Lines that were dropped because too many waited, or that could not be written at the end. */
  readonly lost: number;
  /** Lines that wait to be written. */
  readonly waiting: number;
  /** Milliseconds since the oldest of them was made; 0 if none waits. */
  readonly oldestMs: number;
}

interface Waiting {
  readonly bytes: Buffer;
  readonly madeAt: number;
}

// Some 40,000 lines.
const MOST_BYTES = 16 * 1024 * 1024;
const BATCH_BYTES = 256 * 1024;

/**
 * The lines that are not written yet, in their order, at most 16 MiB of them. When it is full, a new line is dropped and counted: what is kept
 * has no gap, and a flood of requests does not push out what was recorded before it.
 */
export class AuditQueue {
  readonly #now: () => number;
  #lines: Waiting[] = [];
  #bytes = 0;
  // Bytes of the first line that are written.
  #begun = 0;
  #lost = 0;

  /** @param now - milliseconds of a clock that is never set */
  constructor(now: () => number) {
    this.#now = now;
  }

  get isEmpty(): boolean {
    return this.#lines.length === 0;
  }

  /** Whether the beginning of a line is written, and its end is not. */
  get hasHalfLine(): boolean {
    return this.#begun > 0;
  }

  /** Whether what waits takes more than half of the room. The rest is for the lines of requests that are in work. */
  get isHalfFull(): boolean {
    return this.#bytes > MOST_BYTES / 2;
  }

  get state(): AuditState {
    const [oldest] = this.#lines;
    const oldestMs = oldest === undefined ? 0 : Math.max(0, this.#now() - oldest.madeAt);
    return { lost: this.#lost, waiting: this.#lines.length, oldestMs };
  }

  /** @returns whether there was room */
  add(bytes: Buffer): boolean {
    if (this.#bytes + bytes.length > MOST_BYTES) {
      this.#lost += 1;
      return false;
    }
    this.#lines.push({ bytes, madeAt: this.#now() });
    this.#bytes += bytes.length;
    return true;
  }

  /** Returns what is to be written next: the rest of a line that was begun, and whole lines. */
  next(): Buffer {
    let bytes = 0;
    let count = 0;
    for (const line of this.#lines) {
      if (count > 0 && bytes + line.bytes.length > BATCH_BYTES) break;
      bytes += line.bytes.length;
      count += 1;
    }
    const lines = this.#lines.slice(0, count).map((line) => line.bytes);
    const batch = lines.length === 1 ? (lines[0] as Buffer) : Buffer.concat(lines);
    return this.#begun === 0 ? batch : batch.subarray(this.#begun);
  }

  /** Takes note that this many bytes of {@link next} are written. */
  wrote(bytes: number): void {
    let left = this.#begun + bytes;
    let whole = 0;
    for (const line of this.#lines) {
      if (left < line.bytes.length) break;
      left -= line.bytes.length;
      this.#bytes -= line.bytes.length;
      whole += 1;
    }
    this.#lines.splice(0, whole);
    this.#begun = left;
  }

  /** Writes the line again from its start: the file that has its beginning is not the one that gets its end. */
  restartLine(): void {
    this.#begun = 0;
  }

  /** Counts what still waits as lost. @returns how many lines */
  abandon(): number {
    const count = this.#lines.length;
    this.#lost += count;
    this.#lines = [];
    this.#bytes = 0;
    this.#begun = 0;
    return count;
  }
}
