import { StoreError } from "@countersign/agent-key";
import * as v from "valibot";
import type { Credentials, UnreadableMember } from "../credential-store.js";
import {
  credentialsFileSchema,
  type StoredIdentity,
  type StoredLogin,
  storedIdentitySchema,
  storedLoginSchema,
} from "../schema/credentials.js";
import { describeIssues } from "../schema/describe-issues.js";
import { guardCredentials } from "./guard-credentials.js";

// The stored form of each readable member, so that members without a change are written back as they were.
const originals = new WeakMap<object, unknown>();

/** What an absent store holds. */
export function emptyCredentials(): Credentials {
  return { version: 1, login: null, identities: [] };
}

/**
 * Reads `credentials.json`, member by member: one that cannot be read is listed in `unreadable` and spoils no other.
 *
 * @param description - names the store in errors
 * @throws {StoreError} `store_corrupt` when it is no JSON object of version 1
 */
export function parseCredentials(text: string, description: string): Credentials {
  const value = parseJson(text, description);
  assertVersion(value, description);
  const file = v.safeParse(credentialsFileSchema, value);
  if (!file.success) {
    throw corrupt(description, `is no credentials file: ${describeIssues(file)}`);
  }
  const { login: storedLogin = null, identities: storedIdentities = [], ...rest } = file.output;
  const unreadable: UnreadableMember[] = [];
  const login = parseLogin(storedLogin, unreadable);
  const identities = parseIdentities(storedIdentities, unreadable);
  const credentials: Credentials = {
    ...without(rest, "unreadable"),
    version: 1,
    login,
    identities,
    ...(unreadable.length === 0 ? {} : { unreadable }),
  };
  originals.set(credentials, rest);
  return guardCredentials(credentials);
}

/**
 * Writes `credentials.json` for a changed content: unknown members, unchanged members and unreadable members as they were.
 *
 * @param current - what was read before, as {@link parseCredentials} or {@link emptyCredentials} gave it
 * @throws {StoreError} `store_corrupt` when identities would have to be written into a member that is no list
 */
export function formatCredentials(
  next: Credentials,
  current: Credentials,
  description: string,
): string {
  const { login, identities, unreadable = current.unreadable ?? [], ...rest } = next;
  const unreadableLogin = unreadable.find(({ member }) => member === "login");
  const entries = unreadable.filter((member) => member.member === "identities" && !isWhole(member));
  const whole = unreadable.find((member) => member.member === "identities" && isWhole(member));
  if (whole !== undefined && identities.length > 0) {
    throw corrupt(description, "has identities that cannot be read");
  }
  const kept = originals.get(current);
  const content = {
    ...(typeof kept === "object" ? kept : {}),
    ...rest,
    version: 1,
    login: login === null ? (unreadableLogin?.value ?? null) : original(login),
    identities: whole?.value ?? [...identities.map(original), ...entries.map(({ value }) => value)],
  };
  return `${JSON.stringify(content, undefined, 2)}\n`;
}

/** Whether the member is the whole list of identities rather than one entry of it. */
export function isWhole(member: UnreadableMember): boolean {
  return member.member === "identities" && member.problem === NO_LIST;
}

const NO_LIST = "is no list";

function parseLogin(value: unknown, unreadable: UnreadableMember[]): StoredLogin | null {
  if (value === null) return null;
  const parsed = v.safeParse(storedLoginSchema, value);
  if (parsed.success) {
    originals.set(parsed.output, value);
    return parsed.output;
  }
  const problem = describeIssues(parsed);
  unreadable.push({ member: "login", problem, value, ...claimedOwner(value) });
  return null;
}

function parseIdentities(value: unknown, unreadable: UnreadableMember[]): StoredIdentity[] {
  if (!Array.isArray(value)) {
    unreadable.push({ member: "identities", problem: NO_LIST, value });
    return [];
  }
  const identities: StoredIdentity[] = [];
  for (const entry of value) {
    const parsed = v.safeParse(storedIdentitySchema, entry);
    if (parsed.success) {
      originals.set(parsed.output, entry);
      identities.push(parsed.output);
    } else {
      const problem = describeIssues(parsed);
      unreadable.push({
        member: "identities",
        problem,
        value: entry,
        ...claimedOwner(entry),
      });
    }
  }
  return identities;
}

function claimedOwner(
  value: unknown,
): Pick<UnreadableMember, "authority" | "accountId" | "userId"> {
  if (typeof value !== "object" || value === null) return {};
  const text = (name: string) => {
    const member: unknown = Object.getOwnPropertyDescriptor(value, name)?.value;
    return typeof member === "string" ? member : undefined;
  };
  return { authority: text("authority"), accountId: text("account_id"), userId: text("user_id") };
}

// `unreadable` is this program's own member; one of that name in a file is an unknown member like any other, kept out of sight.
function without(members: Record<string, unknown>, name: string): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).filter(([member]) => member !== name));
}

function original(member: object): unknown {
  return originals.get(member) ?? member;
}

function parseJson(text: string, description: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's message quotes the text, which may be a private key.
    throw corrupt(description, text.trim() === "" ? "is empty" : "is no JSON, or was cut off");
  }
}

function assertVersion(value: unknown, description: string): void {
  const version =
    typeof value === "object" && value !== null && "version" in value ? value.version : undefined;
  if (typeof version === "number" && version > 1) {
    throw new StoreError(
      "store_corrupt",
      `${description} has version ${version}, which this program does not know`,
      { hint: "update this program: a newer one has written the file" },
    );
  }
}

function corrupt(description: string, what: string): StoreError {
  return new StoreError("store_corrupt", `${description} ${what}`, {
    hint: "restore it from a backup, or move it away and log in again",
  });
}
