import { createHash } from "node:crypto";
import { closeSync, constants, fstatSync, lstatSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The cache's file in the home. */
export const HEADER_CACHE_FILE = "header.json";

// Seconds for which a printed header is printed again. Its signature stays good for the verifier's skew, some minutes.
const MAX_AGE_SECONDS = 5;
const MAX_BYTES = 16_384;
const OTHERS = 0o077;

/** What a cached header is bound to. */
export interface HeaderCacheKey {
  readonly home: string;
  readonly scope: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Where the home keeps a thread's tasks: named by a hash, so that a thread's name never reaches a path. */
export function threadFileOf(home: string, scope: string): string {
  return join(home, "threads", `${createHash("sha256").update(scope).digest("hex")}.json`);
}

/**
 * Says, in one text, everything that a header was made from: the scope, the environment that is looked at, and the exact files of login
 * and identity, configuration (authority, features) and task. Every writer of these replaces the file, so that any change is another text.
 *
 * @returns `undefined` when one of the files it must have is missing or the home is not the owner's alone
 */
export function fingerprintOf({ home, scope, environment }: HeaderCacheKey): string | undefined {
  if (!isOwnersAlone(lstatOf(home), "directory")) return undefined;
  const credentials = lstatOf(join(home, "credentials.json"));
  const thread = lstatOf(threadFileOf(home, scope));
  if (credentials === undefined || thread === undefined) return undefined;
  const config = lstatOf(join(home, "config.toml"));
  // A linked configuration may change without the link changing.
  if (config?.isSymbolicLink()) return undefined;
  const files = [credentials, thread, config].map((stats) =>
    stats === undefined
      ? "absent"
      : [stats.dev, stats.ino, stats.size, stats.mtimeNs, stats.ctimeNs].join("."),
  );
  const variables = Object.keys(environment)
    .filter((name) => name === "COUNTERSIGN_AUTHORITY" || name.startsWith("COUNTERSIGN_FEATURE_"))
    .sort()
    .map((name) => [name, environment[name]]);
  return createHash("sha256")
    .update(JSON.stringify([scope, files, variables]))
    .digest("base64url");
}

/**
 * Reads the header line that was printed for the same scope, login, features and authority within the last seconds.
 *
 * The file is the owner's alone in a home that is the owner's alone, opened without following a link; it holds less than the key beside
 * it. Anything unusual is "nothing cached".
 *
 * @returns the whole line, or `undefined`
 */
export function readCachedHeader(
  key: HeaderCacheKey & { readonly now: number },
): string | undefined {
  let descriptor: number | undefined;
  try {
    const file = join(key.home, HEADER_CACHE_FILE);
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW);
    const stats = fstatSync(descriptor, { bigint: true });
    if (!isOwnersAlone(stats, "file") || stats.size > MAX_BYTES) return undefined;
    const cached: unknown = JSON.parse(readFileSync(descriptor, "utf8"));
    if (!isCachedHeader(cached)) return undefined;
    const age = Math.floor(key.now / 1000) - cached.signed_at;
    if (age < 0 || age > MAX_AGE_SECONDS) return undefined;
    return cached.fingerprint === fingerprintOf(key) ? cached.line : undefined;
  } catch {
    // No cache is no error: the program makes the header, and tells whatever is wrong.
    return undefined;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

interface CachedHeader {
  readonly fingerprint: string;
  /** Epoch seconds. */
  readonly signed_at: number;
  readonly line: string;
}

function isCachedHeader(value: unknown): value is CachedHeader {
  if (typeof value !== "object" || value === null) return false;
  if (!("fingerprint" in value) || typeof value.fingerprint !== "string") return false;
  if (!("signed_at" in value) || !Number.isSafeInteger(value.signed_at)) return false;
  return (
    "line" in value &&
    typeof value.line === "string" &&
    /^Authorization: AgentAssertion [\w-]+$/.test(value.line)
  );
}

function lstatOf(path: string) {
  return lstatSync(path, { bigint: true, throwIfNoEntry: false });
}

function isOwnersAlone(stats: ReturnType<typeof lstatOf>, kind: "file" | "directory"): boolean {
  if (stats === undefined || !(kind === "file" ? stats.isFile() : stats.isDirectory()))
    return false;
  const uid = process.getuid?.();
  // Where there are no owners (Windows) nothing is cached.
  return uid !== undefined && stats.uid === BigInt(uid) && (stats.mode & BigInt(OTHERS)) === 0n;
}
