import { statfsSync } from "node:fs";
import { dirname } from "node:path";
import { type FileVersion, isSameVersion, isSettled, lookAtPrivateFile } from "./file-version.js";
import { networkFileSystem } from "./network-file-system.js";

// A process needs longer than this to lock, write and sync a file, so no caller can have waited for a write that came after the look.
const LOOK_HOLDS_MS = 0.2;

/** The two clocks of a {@link KeptFile}. */
export interface KeptFileClocks {
  /** Epoch milliseconds, by the clock that stamps files. Default `Date.now`. */
  readonly wallMs?: (() => number) | undefined;
  /** Milliseconds that never go back. Default `performance.now`. */
  readonly monotonicMs?: (() => number) | undefined;
}

/**
 * What was last made of a private file's text, for as long as the file stays the same. Owner, mode and version of the file, and owner and mode
 * of its directory, are looked at each time, so that a write by another process is seen by the next call.
 *
 * One look serves the calls that follow it before the program waits for any event, and within 0.2 ms: a turn and the request that it begins with.
 */
export class KeptFile<T> {
  readonly #file: string;
  readonly #directory: string;
  readonly #wallMs: () => number;
  readonly #monotonicMs: () => number;
  #kept: { readonly version: FileVersion; readonly value: T } | undefined;
  // When the file was last found unchanged; `undefined`: the program has waited since.
  #lookedAt: number | undefined;
  readonly #endLook = () => {
    this.#lookedAt = undefined;
  };

  /**
   * @param file - absolute path
   * @internal Made by `keepFile`.
   */
  constructor(file: string, clocks: KeptFileClocks = {}) {
    this.#file = file;
    this.#directory = dirname(file);
    this.#wallMs = clocks.wallMs ?? Date.now;
    this.#monotonicMs = clocks.monotonicMs ?? (() => performance.now());
  }

  /** The value of the file as it is now; `undefined`: it has to be read. Opens nothing. */
  current(): T | undefined {
    const kept = this.#kept;
    if (kept === undefined) return undefined;
    const now = this.#monotonicMs();
    if (this.#lookedAt !== undefined && now - this.#lookedAt < LOOK_HOLDS_MS) return kept.value;
    const version = lookAtPrivateFile(this.#directory, this.#file);
    if (version !== undefined && isSameVersion(version, kept.version)) {
      // Runs when all promises that can go on have done so, before any event.
      if (this.#lookedAt === undefined) process.nextTick(this.#endLook);
      this.#lookedAt = now;
      return kept.value;
    }
    // It may hold secrets of a login that has ended.
    this.drop();
    return undefined;
  }

  /** Drops what is kept, which may be secret. */
  drop(): void {
    this.#kept = undefined;
    this.#lookedAt = undefined;
  }

  /**
   * Reads the file, and keeps the value unless a later write could go unseen: on a network file system, which remembers for a while what
   * another machine has changed since, and right after a write.
   *
   * @param read - gives the value, and the version that the file had before its text was read
   */
  async load(
    read: () => Promise<{ readonly value: T; readonly version: FileVersion | undefined }>,
  ): Promise<T> {
    const now = this.#wallMs();
    const { value, version } = await read();
    const isSure = version !== undefined && isSettled(version, now);
    this.drop();
    if (isSure && this.#isLocal()) this.#kept = { version, value };
    return value;
  }

  #isLocal(): boolean {
    try {
      return networkFileSystem(statfsSync(this.#directory).type) === undefined;
    } catch {
      // It was just read; if it cannot be told where it is, it is read again next time.
      return false;
    }
  }
}

/**
 * Keeps what is made of a private file, while nothing has been read yet.
 *
 * @param file - absolute path
 */
export function keepFile<T>(file: string): KeptFile<T> {
  return new KeptFile<T>(file);
}
