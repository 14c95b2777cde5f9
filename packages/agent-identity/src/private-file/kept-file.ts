import { statfsSync } from "node:fs";
import { dirname } from "node:path";
import { type FileVersion, isSameVersion, isSettled, lookAtPrivateFile } from "./file-version.js";
import { networkFileSystem } from "./network-file-system.js";

/**
 * What was last made of a private file's text, for as long as the file stays the same. Owner, mode and version of the file, and owner and mode
 * of its directory, are looked at each time, so that a write by another process is seen by the next call.
 */
export class KeptFile<T> {
  readonly #file: string;
  readonly #directory: string;
  readonly #now: () => number;
  #kept: { readonly version: FileVersion; readonly value: T } | undefined;

  /**
   * @param file - absolute path
   * @param now - epoch milliseconds, by the clock that stamps files
   */
  constructor(file: string, now: () => number = Date.now) {
    this.#file = file;
    this.#directory = dirname(file);
    this.#now = now;
  }

  /** The value of the file as it is now; `undefined`: it has to be read. Opens nothing. */
  current(): T | undefined {
    const kept = this.#kept;
    if (kept === undefined) return undefined;
    const version = lookAtPrivateFile(this.#directory, this.#file);
    if (version !== undefined && isSameVersion(version, kept.version)) return kept.value;
    // It may hold secrets of a login that has ended.
    this.#kept = undefined;
    return undefined;
  }

  /** Drops what is kept, which may be secret. */
  drop(): void {
    this.#kept = undefined;
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
    const now = this.#now();
    const { value, version } = await read();
    const isSure = version !== undefined && isSettled(version, now);
    this.#kept = isSure && this.#isLocal() ? { version, value } : undefined;
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
