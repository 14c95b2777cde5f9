import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readSync,
  type Stats,
  statSync,
  write,
  writeSync,
} from "node:fs";
import { type FileHandle, open, stat, statfs } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { networkFileSystem } from "@countersign/private-file";
import { isSystemError, reasonOf } from "../home/home.js";
import { CliError } from "../text/cli-error.js";

/** Where the lines of an audit go. */
export type AuditTarget = PromptTarget | SlowTarget;

/** A file of this machine, which is written by the thread that answers. */
export interface PromptTarget {
  readonly isPrompt: true;
  /** Opens the file that has the path now, if that is another one. @returns whether a line that was begun cannot be ended here */
  follow(): boolean;
  /** @returns the bytes that were written: all, or as many as there was room for */
  write(bytes: Buffer): number;
  close(): Promise<void>;
}

/** A pipe, a device, stdout or a file of another machine, whose other side may be slow: no request waits for it. */
export interface SlowTarget {
  readonly isPrompt: false;
  follow(): Promise<boolean>;
  write(bytes: Buffer): Promise<number>;
  close(): Promise<void>;
}

const { O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;
// A thread that waits for the reader of a pipe keeps the process from ending.
const FLAGS = O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_WRONLY;
const READ_FLAGS = O_NOFOLLOW | O_NONBLOCK | O_RDONLY;
const MODE = 0o600;
const LINE_FEED = Buffer.from("\n");
const STDOUT = 1;
// Until the reader of a pipe is there, or has taken something.
const PIPE_MS = 20;

const writeSome = promisify(write);

/** Standard output. Node has set it not to block, if it is a pipe or a socket. */
export const stdoutTarget: AuditTarget = {
  isPrompt: false,
  follow: async () => false,
  write: (bytes) => writeToPipe(async () => (await writeSome(STDOUT, bytes)).bytesWritten),
  close: async () => {},
};

/** How the reader of a named pipe is waited for. */
export interface ReaderWait {
  /** Ends the wait. */
  readonly signal?: AbortSignal | undefined;
  /** Called once if there is no reader yet. */
  readonly onWait?: (() => void) | undefined;
}

/**
 * Opens a file to append to. Only its owner can read or write a new file. Of a named pipe the reader is waited for.
 *
 * @throws {CliError} `config_invalid` if the file cannot be opened
 */
export async function openAuditTarget(path: string, wait: ReaderWait = {}): Promise<AuditTarget> {
  const handle = await openToAppend(path, wait).catch((error: unknown) => {
    if (!isSystemError(error)) throw error;
    throw new CliError("config_invalid", `--audit: ${path} cannot be opened: ${reasonOf(error)}`, {
      cause: error,
      hint: "name a file in a folder that you can write to",
    });
  });
  if (!(await isLocalFile(handle, path))) return slowTarget(handle, path);
  await handle.close();
  return promptTarget(path);
}

async function openToAppend(path: string, { signal, onWait }: ReaderWait): Promise<FileHandle> {
  for (let isFirst = true; ; isFirst = false) {
    try {
      return await open(path, FLAGS, MODE);
    } catch (error) {
      const hasNoReader = isSystemError(error, "ENXIO") && (await stat(path)).isFIFO();
      if (!hasNoReader) throw error;
    }
    if (isFirst) onWait?.();
    await pause(PIPE_MS, undefined, { signal });
  }
}

// A file system that another machine serves may keep a write waiting for minutes, and with it every request.
async function isLocalFile(handle: FileHandle, path: string): Promise<boolean> {
  try {
    if (!(await handle.stat()).isFile()) return false;
    return networkFileSystem((await statfs(path)).type) === undefined;
  } catch {
    return false;
  }
}

/**
 * Writes each line before the next one is made, so no finished entry is lost if the process is killed. A write into the system's cache
 * costs a fifth of a task for the thread pool.
 */
function promptTarget(path: string): PromptTarget {
  let file = openSync(path, FLAGS, MODE);
  // After the last write that stopped in a line.
  let brokenAt: number | undefined;
  let isNew = true;
  return {
    isPrompt: true,
    follow() {
      const mine = fstatSync(file);
      if (!isSameFile(mine, statSync(path, { throwIfNoEntry: false }))) {
        const opened = openSync(path, FLAGS, MODE);
        closeSync(file);
        file = opened;
        brokenAt = undefined;
        isNew = true;
        return true;
      }
      // It was emptied, or another process wrote behind the half line.
      return brokenAt !== undefined && mine.size !== brokenAt;
    },
    write(bytes) {
      if (isNew && endsInHalfLine(path)) writeSync(file, LINE_FEED);
      isNew = false;
      const written = writeSync(file, bytes);
      brokenAt = written < bytes.length ? fstatSync(file).size : undefined;
      return written;
    },
    close: async () => closeSync(file),
  };
}

function slowTarget(first: FileHandle, path: string): SlowTarget {
  let handle = first;
  let isNew = true;
  return {
    isPrompt: false,
    async follow() {
      const mine = await handle.stat();
      // Only files are rotated: a pipe stays, and its reader may change.
      if (!mine.isFile()) return false;
      if (isSameFile(mine, await stat(path).catch(() => undefined))) return false;
      const opened = await open(path, FLAGS, MODE);
      await handle.close();
      handle = opened;
      isNew = true;
      return true;
    },
    async write(bytes) {
      if (isNew && (await handle.stat()).isFile() && (await endsInHalfLineLater(path))) {
        await handle.write(LINE_FEED);
      }
      isNew = false;
      return await writeToPipe(async () => (await handle.write(bytes)).bytesWritten);
    },
    close: () => handle.close(),
  };
}

// What a process leaves behind that ends in the middle of a write. A file that this user cannot read is not looked at.
function endsInHalfLine(path: string): boolean {
  try {
    const file = openSync(path, READ_FLAGS);
    try {
      const last = Buffer.alloc(1);
      return readSync(file, last, 0, 1, fstatSync(file).size - 1) === 1 && !last.equals(LINE_FEED);
    } finally {
      closeSync(file);
    }
  } catch {
    return false;
  }
}

async function endsInHalfLineLater(path: string): Promise<boolean> {
  try {
    await using file = await open(path, READ_FLAGS);
    const { size } = await file.stat();
    const { bytesRead, buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
    return bytesRead === 1 && !buffer.equals(LINE_FEED);
  } catch {
    return false;
  }
}

function isSameFile(mine: Stats, named: Stats | undefined): boolean {
  return named !== undefined && named.ino === mine.ino && named.dev === mine.dev;
}

/** @returns 0 some time after a pipe had no room */
async function writeToPipe(send: () => Promise<number>): Promise<number> {
  try {
    return await send();
  } catch (error) {
    if (!isSystemError(error, "EAGAIN")) throw error;
    await pause(PIPE_MS);
    return 0;
  }
}
