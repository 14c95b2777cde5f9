import { type BigIntStats, lstatSync } from "node:fs";

/** What differs between two contents of one path: a write changes at least one of these. */
export type FileVersion = Pick<BigIntStats, "dev" | "ino" | "size" | "mtimeNs" | "ctimeNs">;

const LOOK = { bigint: true, throwIfNoEntry: false } as const;
const SECOND_MS = 1000;
const SECOND_NS = 1_000_000_000n;
// File times advance in steps: 10 ms on Linux, 16 ms on Windows, and two seconds on some file systems.
const FINE_STEP_MS = 50;
const COARSE_STEP_MS = 2 * SECOND_MS;

/**
 * Looks at a file in a private directory without opening it: one synchronous `lstat` of the directory and one of the file.
 *
 * @returns `undefined` unless both are there and this user's alone, with nothing to tighten. The caller then opens them, which tightens them
 *   or says what is wrong
 */
export function lookAtPrivateFile(directory: string, file: string): FileVersion | undefined {
  try {
    const own = process.getuid?.();
    const folder = lstatSync(directory, LOOK);
    if (folder === undefined || !folder.isDirectory() || !isPrivate(folder, own)) return undefined;
    const found = lstatSync(file, LOOK);
    return found?.isFile() === true && isPrivate(found, own) ? found : undefined;
  } catch {
    // Opening the file fails the same way, and gives the error its text.
    return undefined;
  }
}

/** Whether two looks at a path saw the same content. */
export function isSameVersion(one: FileVersion, other: FileVersion): boolean {
  return (
    one.ino === other.ino &&
    one.mtimeNs === other.mtimeNs &&
    one.ctimeNs === other.ctimeNs &&
    one.size === other.size &&
    one.dev === other.dev
  );
}

/**
 * Whether every later write is sure to give another version. A later write in the same step of the file system's clock could leave a file of
 * the same size with the same version.
 *
 * @param nowMs - when the file was looked at, epoch milliseconds
 */
export function isSettled({ ctimeNs, mtimeNs }: FileVersion, nowMs: number): boolean {
  const isCoarse = ctimeNs % SECOND_NS === 0n || mtimeNs % SECOND_NS === 0n;
  const changedMs = Number(ctimeNs / 1_000_000n);
  return nowMs - changedMs > (isCoarse ? COARSE_STEP_MS : FINE_STEP_MS);
}

function isPrivate({ mode, uid }: BigIntStats, own: number | undefined): boolean {
  if (own !== undefined && uid !== BigInt(own)) return false;
  return process.platform === "win32" || (mode & 0o077n) === 0n;
}
