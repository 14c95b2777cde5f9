import { createHash } from "node:crypto";
import {
  type BigIntStats,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readFileSync,
} from "node:fs";
import { join } from "node:path";

/** The file of the decisions in the home. */
export const HEADER_FILE = "header.json";

const FORM = 1;
// The threads whose decisions are kept: the last ones decided.
const MAX_DECISIONS = 32;
const MAX_BYTES = 65_536n;
const OTHERS = 0o077n;

/** Which key signs a header, and for which task: what the program decided for one exact state of the home. */
export interface HeaderDecision {
  readonly authority: string;
  readonly agent_runtime_id: string;
  readonly task_id: string;
  /** OpenSSH line of the agent's key. */
  readonly public_key: string;
  /** The last instant at which the task is used without asking for another, epoch milliseconds. Absent: the task has no known end. */
  readonly until?: number | undefined;
}

/** What a decision depends on. */
export interface HeaderContext {
  readonly home: string;
  readonly scope: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The version of this program, which decides by rules of its own. */
  readonly version: string;
}

/** One exact state of everything that a header is made from. */
export interface HomeState {
  /** Names this state: any change of it is another text. */
  readonly fingerprint: string;
  /** The version of `credentials.json` in it, as {@link versionOf} gives it. */
  readonly credentials: string;
}

/** Where the home keeps a thread's tasks: named by a hash, so that a thread's name never reaches a path. */
export function threadFileOf(home: string, scope: string): string {
  return join(home, "threads", `${createHash("sha256").update(scope).digest("hex")}.json`);
}

/**
 * Says, in one text, everything that a header is made from: this version of the program, the scope, the environment that is looked at, and
 * the exact files of login and identity, configuration (authority, features) and task. Every writer of these replaces the file, so that any
 * change is another text.
 *
 * @returns `undefined` if a file is missing that must be there, or one of them can be changed or read by others
 */
export function stateOf(context: HeaderContext): HomeState | undefined {
  try {
    return readState(context);
  } catch {
    // A home that cannot be looked at: the program meets the same trouble, and has the words for it.
    return undefined;
  }
}

function readState({ home, scope, environment, version }: HeaderContext): HomeState | undefined {
  const folders = [home, join(home, "threads")];
  if (!folders.every((path) => isOwnersAlone(lstatOf(path), "directory"))) return undefined;
  const credentials = lstatOf(join(home, "credentials.json"));
  const thread = lstatOf(threadFileOf(home, scope));
  if (!isOwnersAlone(credentials, "file") || !isOwnersAlone(thread, "file")) return undefined;
  const config = lstatOf(join(home, "config.toml"));
  // A linked configuration may change without the link changing.
  if (config?.isSymbolicLink()) return undefined;
  const files = [credentials, thread].map(versionOf);
  files.push(config === undefined ? "absent" : versionOf(config));
  const variables = Object.keys(environment)
    .filter((name) => name === "COUNTERSIGN_AUTHORITY" || name.startsWith("COUNTERSIGN_FEATURE_"))
    .sort()
    .map((name) => [name, environment[name]]);
  const fingerprint = createHash("sha256")
    .update(JSON.stringify([version, scope, files, variables]))
    .digest("base64url");
  return { fingerprint, credentials: versionOf(credentials) };
}

/** Names the content of a file: another content is another text. */
export function versionOf(stats: BigIntStats): string {
  return [stats.dev, stats.ino, stats.size, stats.mtimeNs, stats.ctimeNs].join(".");
}

/**
 * Reads a file of the home that is the owner's alone, without following a link.
 *
 * @param version - the version that it must have; absent: any
 * @returns its text; `undefined`: it is missing, has another version, or is not the owner's alone
 */
export function readOwnFile(
  path: string,
  maxBytes: bigint,
  version?: string | undefined,
): string | undefined {
  let descriptor: number | undefined;
  try {
    // Non-blocking: opening a named pipe would otherwise wait for its writer.
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const stats = fstatSync(descriptor, { bigint: true });
    if (!isOwnersAlone(stats, "file") || stats.size > maxBytes) return undefined;
    if (version !== undefined && versionOf(stats) !== version) return undefined;
    return readFileSync(descriptor, "utf8");
  } catch {
    // The program makes the header, and reports whatever is wrong.
    return undefined;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** Finds the decision for a state of the home. A file that holds anything unusual holds no decision. */
export function findDecision(home: string, { fingerprint }: HomeState): HeaderDecision | undefined {
  const decision = new Map(readDecisions(home)).get(fingerprint);
  return isDecision(decision) ? decision : undefined;
}

/** The text of the file with one more decision, which takes the place of the oldest where there are too many. */
export function withDecision(home: string, state: HomeState, decision: HeaderDecision): string {
  const others = readDecisions(home).filter(([fingerprint]) => fingerprint !== state.fingerprint);
  const decisions = [...others, [state.fingerprint, decision]].slice(-MAX_DECISIONS);
  return JSON.stringify({ version: FORM, decisions: Object.fromEntries(decisions) });
}

function readDecisions(home: string): (readonly [string, unknown])[] {
  const file: unknown = parseJson(readOwnFile(join(home, HEADER_FILE), MAX_BYTES));
  if (!isObject(file) || file.version !== FORM || !isObject(file.decisions)) return [];
  return Object.entries(file.decisions);
}

/** Parses a text; `undefined` if it is not JSON. */
export function parseJson(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Returns whether a value is an object with members. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function isDecision(value: unknown): value is HeaderDecision {
  if (!isObject(value)) return false;
  const names = ["authority", "agent_runtime_id", "task_id", "public_key"];
  if (!names.every((name) => typeof value[name] === "string")) return false;
  return value.until === undefined || Number.isSafeInteger(value.until);
}

function lstatOf(path: string): BigIntStats | undefined {
  return lstatSync(path, { bigint: true, throwIfNoEntry: false });
}

function isOwnersAlone(
  stats: BigIntStats | undefined,
  kind: "file" | "directory",
): stats is BigIntStats {
  if (stats === undefined || !(kind === "file" ? stats.isFile() : stats.isDirectory()))
    return false;
  const uid = process.getuid?.();
  // Where there are no owners (Windows) nothing is kept.
  return uid !== undefined && stats.uid === BigInt(uid) && (stats.mode & OTHERS) === 0n;
}
