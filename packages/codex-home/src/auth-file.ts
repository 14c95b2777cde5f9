import { lstat, mkdir, realpath, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { StoreError } from "@countersign/agent-key";
import {
  assertOwnedByUser,
  errnoOf,
  readPrivateFile,
  resolveHome,
  storeDenied,
  toStoreError,
} from "@countersign/private-file";
import { formatJson, type JsonMember, joinJsonMembers, splitJsonMembers } from "./json-text.js";

/** `auth.json` as it was read. */
export interface AuthFile {
  /** Its members in order, as they are written. */
  readonly members: readonly JsonMember[];
  /** The same, parsed. */
  readonly value: Readonly<Record<string, unknown>>;
  readonly generation: string;
}

const MEMBER = "agent_identity";
// What stands before it in the files that Codex writes.
const MEMBERS_BEFORE = ["auth_mode", "OPENAI_API_KEY", "tokens", "last_refresh"];
// Codex empties the file before it writes the new text. A reader that comes in between reads again until the text is whole.
const READS = 4;
const PAUSE_MS = 25;

/** The path of `auth.json` in a Codex home, which is absolute or begins with `~/`. Throws `config_invalid` if it is neither. */
export function authPath(codexHome: string): string {
  return join(resolveHome(codexHome, "codexHome"), "auth.json");
}

/**
 * Finds the file that `auth.json` is, through symbolic links: Codex follows and keeps them.
 *
 * @returns `undefined`: there is none
 * @throws {StoreError} `store_denied`: a link to nothing, a folder that others own or may write to
 */
export async function resolveAuthFile(path: string): Promise<string | undefined> {
  let isLink = false;
  try {
    isLink = (await lstat(path)).isSymbolicLink();
    const target = await realpath(path);
    for (const folder of [dirname(path), dirname(target)]) await assertDirectory(folder);
    return target;
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw toStoreError(path, error);
    // Not a logout: the link's target may only be out of reach at the moment.
    if (isLink) throw storeDenied(path, "is a symbolic link to nothing", "remove it, or mend it");
    return undefined;
  }
}

/**
 * The same for a writer that makes the file: where there is none, its folder is made (0700) if need be, and checked all the same.
 *
 * @throws {StoreError} as {@link resolveAuthFile}
 */
export async function prepareAuthFile(path: string): Promise<string> {
  const target = await resolveAuthFile(path);
  if (target !== undefined) return target;
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await assertDirectory(dirname(path));
    return path;
  } catch (error) {
    throw toStoreError(path, error);
  }
}

/**
 * Reads `auth.json`.
 *
 * @param target - as `resolveAuthFile` gives it
 * @throws {StoreError} `store_denied`; `store_corrupt` when it is no JSON object, and stays none for a moment
 */
export async function loadAuthFile(target: string): Promise<AuthFile | undefined> {
  return await loadAuthFileOr(target, () => {
    // The text is not quoted: it is made of secrets.
    throw new StoreError("store_corrupt", `${target} is no JSON object`, {
      hint: "restore the file from a backup, or move it away and log in to Codex again",
    });
  });
}

/** Reads `auth.json` to replace it: a text that is no JSON object, and stays none for a moment, has no members. */
export async function loadReplacedAuthFile(target: string): Promise<AuthFile | undefined> {
  return await loadAuthFileOr(target, (generation) => ({ members: [], value: {}, generation }));
}

async function loadAuthFileOr(
  target: string,
  broken: (generation: string) => AuthFile,
): Promise<AuthFile | undefined> {
  for (let read = 1; ; read += 1) {
    const found = await readPrivateFile(target);
    if (found === undefined) return undefined;
    const value = parseObject(found.text);
    if (value !== undefined) {
      return { members: splitJsonMembers(found.text), value, generation: found.generation };
    }
    if (read === READS) return broken(found.generation);
    await sleep(PAUSE_MS);
  }
}

/** JSON text of `agent_identity`; `undefined`: there is none. */
export function identityText({ members }: AuthFile): string | undefined {
  return members.findLast(({ name }) => name === MEMBER)?.value;
}

/** The text of `auth.json` with another `agent_identity`, or without one, and everything else as it is written, laid out as Codex does. */
export function formatAuthFile(
  { members }: Pick<AuthFile, "members">,
  identity: string | undefined,
): string {
  const next = members.filter(({ name }) => name !== MEMBER);
  if (identity !== undefined) {
    const found = members.findIndex(({ name }) => name === MEMBER);
    const before = next.findLastIndex(({ name }) => MEMBERS_BEFORE.includes(name));
    const at = found >= 0 ? found : before >= 0 ? before + 1 : next.length;
    next.splice(at, 0, { name: MEMBER, value: identity });
  }
  return formatJson(joinJsonMembers(next));
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's message quotes the text.
    return undefined;
  }
  return isRecord(value) ? value : undefined;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Codex's folders keep the mode that its umask gave them. But a user who may write there can put another file in place of the login. */
async function assertDirectory(directory: string): Promise<void> {
  if (process.platform === "win32") return;
  const { mode, uid } = await stat(directory);
  assertOwnedByUser(directory, uid);
  if ((mode & 0o002) !== 0) {
    throw storeDenied(directory, "may be written by everybody", `run: chmod o-w ${directory}`);
  }
}
