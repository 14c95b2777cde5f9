import type { FileVersion } from "./file-version.js";

/** Options of `openPrivateDirectory`. */
export interface PrivateDirectoryOptions {
  /** Make the directory (0700) and its parents where it does not exist. Default true. */
  readonly create?: boolean | undefined;
}

/** A file as it was read. */
export interface PrivateFile {
  readonly text: string;
  /** Names this content of the file; another write gives another generation. */
  readonly generation: string;
  /** What the file was just before its text was read. */
  readonly version: FileVersion;
}

/** Options of `writePrivateFile`. */
export interface WritePrivateFileOptions {
  /**
   * The generation that the file must still have just before it is replaced; `undefined` as value of a present member: the file must still not
   * exist. Member absent: not checked.
   */
  readonly expectedGeneration?: string | undefined;
  /**
   * The held lock of the file. The temporary file is made in it: what a killed holder left half written disappears with its lock, and a
   * writer that lost the lock replaces nothing. Default: the temporary file is made beside the file.
   */
  readonly lock?: FileLock | undefined;
  /** Called just before the rename; when it throws or rejects, the file stays as it was. */
  readonly beforeRename?: (() => void | Promise<void>) | undefined;
}

/** Options of `withFileLock`. */
export interface FileLockOptions {
  /** Ends the waiting for the lock; the call then rejects with `cancelled`. */
  readonly signal?: AbortSignal | undefined;
  /** How long to wait while the lock does not change hands, in milliseconds, from 0. Default 10,000. After it: `store_locked`. */
  readonly waitMs?: number | undefined;
}

/** A lock that is held. */
export interface FileLock {
  /** The lock itself, a directory. A file in it is removed together with it. */
  readonly directory: string;
  /** Aborted when the lock was lost, for instance because this process slept too long. */
  readonly signal: AbortSignal;
  /** @throws {StoreError} `store_locked` when the lock is held no more. To be called just before anything is replaced. */
  assertHeld(): Promise<void>;
}
