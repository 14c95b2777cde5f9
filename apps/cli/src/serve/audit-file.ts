import { once } from "node:events";
import { appendFileSync, constants, createWriteStream } from "node:fs";
import { type FileHandle, open, statfs } from "node:fs/promises";
import { escapeText } from "@countersign/agent-key/escaping";
import { networkFileSystem } from "@countersign/private-file";
import type { Run } from "../config/run.js";
import { isSystemError, pathOption, reasonOf } from "../home/home.js";
import { CliError } from "../text/cli-error.js";

/** A file of JSON lines that only grows. */
interface AuditFile {
  /** Appends one entry. */
  append(entry: object): void;
  /** Ends the file when every line is written. */
  close(): Promise<void>;
}

/**
 * Does work with the file that `--audit` names, and closes the file afterwards.
 *
 * @param work - takes the function that appends an entry; `undefined`: no file is named
 * @throws {CliError} `usage` if the path is empty; `config_invalid` if the file cannot be opened
 */
export async function withAuditFile<T>(
  run: Run,
  path: string | undefined,
  work: (append: ((entry: object) => void) | undefined) => Promise<T>,
): Promise<T> {
  if (path === undefined) return await work(undefined);
  const audit = await openAuditFile(pathOption(path, "--audit"), (message) =>
    run.output.warn(message),
  );
  try {
    return await work((entry) => audit.append(entry));
  } finally {
    await audit.close();
  }
}

/**
 * Opens a file to append JSON lines to. Only its owner can read or write a new file.
 *
 * @param onError - called if a line could not be written
 * @throws {CliError} `config_invalid` if the file cannot be opened
 */
async function openAuditFile(path: string, onError: (message: string) => void): Promise<AuditFile> {
  const { O_APPEND, O_CREAT, O_NOFOLLOW, O_WRONLY } = constants;
  const handle = await open(path, O_APPEND | O_CREAT | O_NOFOLLOW | O_WRONLY, 0o600).catch(
    (error: unknown) => {
      if (!isSystemError(error)) throw error;
      throw new CliError(
        "config_invalid",
        `--audit: ${path} cannot be opened: ${reasonOf(error)}`,
        {
          cause: error,
          hint: "name a file in a folder that you can write to",
        },
      );
    },
  );
  const told = (error: unknown): void =>
    onError(`the audit file ${path} is not written: ${reasonOf(error)}`);
  return (await isLocalFile(handle, path)) ? localFile(handle, told) : otherFile(handle, told);
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
function localFile(handle: FileHandle, onError: (error: unknown) => void): AuditFile {
  let hasFailed = false;
  return {
    append(entry) {
      if (hasFailed) return;
      try {
        appendFileSync(handle.fd, `${escapeText(JSON.stringify(entry))}\n`);
      } catch (error) {
        // Half a line may be there: another one behind it would be broken too.
        hasFailed = true;
        onError(error);
      }
    },
    close: () => handle.close(),
  };
}

/** Writes to a pipe, a device or a network file system, whose other side may be slow: nothing waits for it. */
function otherFile(handle: FileHandle, onError: (error: unknown) => void): AuditFile {
  const stream = createWriteStream("", { fd: handle });
  stream.on("error", onError);
  return {
    append(entry) {
      stream.write(`${escapeText(JSON.stringify(entry))}\n`);
    },
    async close() {
      if (stream.destroyed) return;
      stream.end();
      await once(stream, "close");
    },
  };
}
