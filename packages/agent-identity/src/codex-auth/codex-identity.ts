import type { UnreadableMember } from "../credential-store.js";
import { describeZodError } from "../internal/describe-zod-error.js";
import type { StoredIdentity } from "../schema/credentials.js";
import { parseClaims } from "./codex-login.js";
import { codexIdentitySchema, codexManagedIdentitySchema } from "./codex-schema.js";
import { type JsonMember, joinJsonMembers, splitJsonMembers } from "./json-text.js";

/**
 * What `agent_identity` of `auth.json` holds.
 *
 * `own`: nothing, or an object of generation A, the one that is written here. Everything else is another program's: an object of generation C
 * (`managed`), an identity token (`token`), something that is none of them (`unreadable`).
 */
export type CodexIdentity =
  | { readonly kind: "own"; readonly entry: StoredIdentity | undefined }
  | {
      readonly kind: "managed";
      readonly entry: StoredIdentity;
      readonly taskId?: string | undefined;
    }
  | { readonly kind: "token" }
  | { readonly kind: "unreadable"; readonly member: UnreadableMember };

/** What is known of an agent here alone: it is not written into `auth.json`, and not believed where it stands there. */
const HOME_NAMES = [
  "next_private_key",
  "compromised",
  "former_public_keys",
  "codex_homes",
  "revoked",
] as const;

const STORED_NAMES = new Set<string>([
  "authority",
  "account_id",
  "user_id",
  "private_key",
  "agent_runtime_id",
  "state",
  "registered_at",
  ...HOME_NAMES,
]);

/** The members of an identity that are kept beside `auth.json` alone. */
export function homeMembersOf(entry: StoredIdentity): Partial<StoredIdentity> {
  const known = HOME_NAMES.map((name) => [name, entry[name]] as const);
  return Object.fromEntries(known.filter(([, value]) => value !== undefined));
}

/**
 * Reads `agent_identity`, of whatever generation.
 *
 * @param authority - whom the caller says that it was registered with
 */
export function parseCodexIdentity(value: unknown, authority: string): CodexIdentity {
  if (value === undefined || value === null) return { kind: "own", entry: undefined };
  if (typeof value === "string") {
    if (parseClaims(value) !== undefined) return { kind: "token" };
    return unreadable("is neither an identity nor an identity token", value);
  }
  if (typeof value !== "object") return unreadable("is no identity", value);
  return Object.hasOwn(value, "workspace_id")
    ? parseOwn(value, authority)
    : parseManaged(value, authority);
}

/**
 * Writes `agent_identity` in the form of generation A.
 *
 * @param before - JSON text of the object of generation A that is replaced; where it holds the same key, its other members stay in their order
 */
export function formatCodexIdentity(entry: StoredIdentity, before: string | undefined): string {
  const known: Record<string, unknown> = {
    workspace_id: entry.account_id,
    chatgpt_user_id: entry.user_id,
    agent_runtime_id: entry.agent_runtime_id,
    agent_private_key: entry.private_key,
    registered_at: entry.registered_at,
  };
  const isSameKey =
    before !== undefined && JSON.parse(before).agent_private_key === entry.private_key;
  const kept = isSameKey ? splitJsonMembers(before) : [];
  const members = kept.flatMap((member) =>
    Object.hasOwn(known, member.name) ? toMember(member.name, known[member.name]) : [member],
  );
  const names = new Set(members.map(({ name }) => name));
  // An unknown member of the entry was read from such an object, or is of a later version.
  const unknown = Object.entries(entry).filter(([name]) => !STORED_NAMES.has(name));
  const added = [...Object.entries(known), ...unknown].filter(([name]) => !names.has(name));
  return joinJsonMembers([...members, ...added.flatMap(([name, value]) => toMember(name, value))]);
}

function parseOwn(value: object, authority: string): CodexIdentity {
  const parsed = codexIdentitySchema.safeParse(value);
  if (!parsed.success) {
    return unreadable(describeZodError(parsed.error), value, {
      authority,
      accountId: textOf(value, "workspace_id"),
      userId: textOf(value, "chatgpt_user_id"),
    });
  }
  const { workspace_id, chatgpt_user_id, agent_private_key, ...rest } = parsed.data;
  const isHomeName = (name: string) => HOME_NAMES.some((known) => known === name);
  const members = Object.entries(rest).filter(([name]) => !isHomeName(name));
  const entry: StoredIdentity = {
    ...Object.fromEntries(members),
    agent_runtime_id: parsed.data.agent_runtime_id,
    authority,
    account_id: workspace_id,
    user_id: chatgpt_user_id,
    private_key: agent_private_key,
    state: "registered",
  };
  return { kind: "own", entry };
}

function parseManaged(value: object, authority: string): CodexIdentity {
  const parsed = codexManagedIdentitySchema.safeParse(value);
  // Claims no binding: another program's object in a form that is not known says nothing about whether somebody has an agent here.
  if (!parsed.success) return unreadable(describeZodError(parsed.error), value);
  const entry: StoredIdentity = {
    authority,
    account_id: parsed.data.account_id,
    user_id: parsed.data.chatgpt_user_id,
    private_key: parsed.data.agent_private_key,
    agent_runtime_id: parsed.data.agent_runtime_id,
    state: "registered",
  };
  return { kind: "managed", entry, taskId: parsed.data.task_id };
}

function toMember(name: string, value: unknown): JsonMember[] {
  return value === undefined ? [] : [{ name, value: JSON.stringify(value) }];
}

function textOf(value: object, name: string): string | undefined {
  const member: unknown = Object.getOwnPropertyDescriptor(value, name)?.value;
  return typeof member === "string" ? member : undefined;
}

function unreadable(
  problem: string,
  value: unknown,
  claims: Pick<UnreadableMember, "authority" | "accountId" | "userId"> = {},
): CodexIdentity {
  return {
    kind: "unreadable",
    member: { member: "identities", problem: `agent_identity: ${problem}`, value, ...claims },
  };
}
