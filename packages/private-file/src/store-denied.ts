import { StoreError } from "@countersign/agent-key";

/** The error name of the system, for instance `EACCES`. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string"
    ? error.code
    : undefined;
}

/** Makes the error for a path that may not be used as it is. */
export function storeDenied(path: string, what: string, hint: string): StoreError {
  return new StoreError("store_denied", `${path} ${what}`, { hint });
}

/** Makes the error for something that the system refused. Errors of a store pass as they are. */
export function toStoreError(path: string, cause: unknown): unknown {
  const errno = errnoOf(cause);
  if (StoreError.is(cause) || errno === undefined) return cause;
  const [what, hint] = EXPLAINED[errno] ?? [`cannot be used (${errno})`, "check the file system"];
  return new StoreError("store_denied", `${path} ${what}`, {
    cause,
    hint,
    retryable: errno === "ENOSPC" || errno === "EDQUOT" || errno === "EMFILE",
  });
}

const PERMISSION = "check who owns it and that this user may read and write it";
const EXPLAINED: Record<string, readonly [what: string, hint: string] | undefined> = {
  EACCES: ["may not be used by this user (EACCES)", PERMISSION],
  EPERM: ["may not be used by this user (EPERM)", PERMISSION],
  EROFS: ["is on a read-only file system (EROFS)", "choose a directory that can be written"],
  ELOOP: ["is a symbolic link", "name the real place: links are not followed"],
  ENOTDIR: [
    "is not a directory, or is below a path that is not a directory",
    "choose another directory",
  ],
  EISDIR: ["is a directory", "move it away"],
  ENOSPC: ["cannot be written: the disk is full", "make room and try again"],
  EDQUOT: ["cannot be written: the quota is used up", "make room and try again"],
};
