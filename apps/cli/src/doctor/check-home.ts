import type { Dirent } from "node:fs";
import { lstat, readdir, statfs } from "node:fs/promises";
import { join } from "node:path";
import type { CredentialStore } from "@countersign/agent-identity";
import { networkFileSystem } from "@countersign/private-file";
import type { Run } from "../config/run.js";
import { inspectHome, isSystemError } from "../home/home.js";
import { fail, ok, type Verdict, warn } from "./finding.js";

const OTHERS = 0o077;
const MAX_NAMED = 3;

/** Looks at the home: this user's, and on a file system where locks hold. */
export async function checkHome({ home }: Run): Promise<Verdict> {
  if (!(await inspectHome(home))) {
    return warn(`${home} does not exist yet`, "countersign login makes it");
  }
  const network = networkFileSystem((await statfs(home)).type);
  if (network === undefined) return ok(home);
  return warn(
    `${home} is on a network file system (${network}), where locks between machines may not hold`,
    "set COUNTERSIGN_HOME to a folder of this machine",
  );
}

/** Looks at who may use what is in the home. Changes nothing: the commands that read a file tighten it. */
export async function checkPermissions({ home }: Run): Promise<Verdict> {
  if (!(await inspectHome(home))) return ok("nothing is stored yet");
  // Where there are no such ids (Windows) the profile's own permissions protect it.
  if (process.platform === "win32") return ok("left to the profile's own permissions");
  const open: string[] = [];
  for (const path of [home, ...(await listPrivate(home))]) {
    const stats = await lstat(path).catch(absent);
    if (stats !== undefined && (stats.mode & OTHERS) !== 0) open.push(path);
  }
  if (open.length === 0) return ok("the owner's alone");
  const named = open.slice(0, MAX_NAMED).join(", ");
  const more = open.length > MAX_NAMED ? ` and ${open.length - MAX_NAMED} more` : "";
  return warn(
    `others may use ${named}${more}`,
    `chmod -R go= ${home}, and take what could be read for known to others`,
  );
}

/** Looks at whether the store of logins and keys can be read. */
export async function checkStore(store: CredentialStore): Promise<Verdict> {
  const { unreadable = [] } = await store.load();
  const [first] = unreadable;
  if (first === undefined) return ok(store.description);
  return fail(
    `${store.description}: a member of ${first.member} cannot be read: ${first.problem}`,
    first.member === "login"
      ? "restore it from a backup, or log in again with the token that you were given: countersign login"
      : "restore it from a backup, or use the version of countersign that wrote it; countersign identity list says whose it is",
  );
}

// The configuration may be anybody's to read.
async function listPrivate(home: string): Promise<readonly string[]> {
  const isPrivate = (entry: Dirent) => /\.json$|\.token$|^threads$|^authority\.db/.test(entry.name);
  const [above, threads] = [await list(home), await list(join(home, "threads"))];
  return [...above.filter(isPrivate), ...threads].map(({ parentPath, name }) =>
    join(parentPath, name),
  );
}

async function list(folder: string): Promise<readonly Dirent[]> {
  return (await readdir(folder, { withFileTypes: true }).catch(absent)) ?? [];
}

function absent(error: unknown): undefined {
  if (!isSystemError(error, "ENOENT")) throw error;
}
