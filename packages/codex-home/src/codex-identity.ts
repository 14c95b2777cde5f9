import type { StoredIdentity, UnreadableMember } from "@countersign/agent-identity";
import { describeIssues } from "@countersign/agent-identity";
import { parseClaims } from "./codex-login.js";
import { codexIdentitySchema, codexManagedIdentitySchema } from "./codex-schema.js";
import { type JsonMember, joinJsonMembers, splitJsonMembers } from "./json-text.js";

/** The generation of an object in `agent_identity`: `A` is for Codex 0.122 and 0.123, `C` for 0.150 and newer. Neither reads the other one. */
export type CodexForm = "A" | "C";

/**
 * What `agent_identity` of `auth.json` holds.
 *
 * `own`: nothing, or an object of the form that is written here. Everything else is another program's: an object of the other form
 * (`other`), an identity JWT (`token`), something else (`unreadable`).
 */
export type CodexIdentity =
  | {
      readonly kind: "own" | "other";
      readonly entry: StoredIdentity | undefined;
      readonly taskId?: string | undefined;
    }
  | { readonly kind: "token" }
  | { readonly kind: "unreadable"; readonly member: UnreadableMember };

/** What is known of an agent here alone: it is not written into `auth.json`, and not believed where it stands there. */
const HOME_NAMES = [
  "public_key",
  "next_private_key",
  "next_public_key",
  "idempotency_secret",
  "compromised",
  "former_public_keys",
  "codex_homes",
  "revoked",
  "ephemeral",
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
 * @param form - the one that is written here
 */
export function parseCodexIdentity(
  value: unknown,
  authority: string,
  form: CodexForm = "A",
): CodexIdentity {
  if (value === undefined || value === null) return { kind: "own", entry: undefined };
  if (typeof value === "string") {
    if (parseClaims(value) !== undefined) return { kind: "token" };
    return unreadable("is neither an identity nor an identity JWT", value);
  }
  if (typeof value !== "object") return unreadable("is no identity", value);
  return Object.hasOwn(value, "workspace_id")
    ? parseFormA(value, authority, form === "A" ? "own" : "other")
    : parseFormC(value, authority, form === "C" ? "own" : "other");
}

/**
 * Writes `agent_identity`.
 *
 * @param before - JSON text of the object of the same form that is replaced; where it holds the same key (A) or agent (C), its other members
 *   stay in their order: in C that is the task, which outlives a rotation of the key
 */
export function formatCodexIdentity(
  entry: StoredIdentity,
  form: CodexForm,
  before: string | undefined,
): string {
  const known = form === "A" ? membersOfA(entry) : membersOfC(entry);
  const kept = before !== undefined && isKept(entry, form, before) ? splitJsonMembers(before) : [];
  const members = kept.flatMap((member) =>
    Object.hasOwn(known, member.name) ? toMember(member.name, known[member.name]) : [member],
  );
  const names = new Set(members.map(({ name }) => name));
  // An unknown member of the entry was read from an object of A, or is of a later version.
  const unknown =
    form === "A" ? Object.entries(entry).filter(([name]) => !STORED_NAMES.has(name)) : [];
  const asked = form === "A" ? [] : Object.entries(UNKNOWN_TO_US);
  const added = [...Object.entries(known), ...asked, ...unknown].filter(
    ([name]) => !names.has(name),
  );
  return joinJsonMembers([...members, ...added.flatMap(([name, value]) => toMember(name, value))]);
}

// Codex asks for these members, and writes the same where its login does not say more.
const UNKNOWN_TO_US = { email: "", plan_type: "unknown", chatgpt_account_is_fedramp: false };

function membersOfA(entry: StoredIdentity): Readonly<Record<string, unknown>> {
  return {
    workspace_id: entry.account_id,
    chatgpt_user_id: entry.user_id,
    agent_runtime_id: entry.agent_runtime_id,
    agent_private_key: entry.private_key,
    registered_at: entry.registered_at,
  };
}

function membersOfC(entry: StoredIdentity): Readonly<Record<string, unknown>> {
  return {
    agent_runtime_id: entry.agent_runtime_id,
    agent_private_key: entry.private_key,
    account_id: entry.account_id,
    chatgpt_user_id: entry.user_id,
  };
}

function isKept(entry: StoredIdentity, form: CodexForm, before: string): boolean {
  const { agent_private_key, agent_runtime_id } = JSON.parse(before);
  return form === "A"
    ? agent_private_key === entry.private_key
    : agent_runtime_id === entry.agent_runtime_id;
}

function parseFormA(value: object, authority: string, kind: "own" | "other"): CodexIdentity {
  const parsed = codexIdentitySchema.safeParse(value);
  if (!parsed.success) {
    return unreadable(describeIssues(parsed.error), value, {
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
  return { kind, entry };
}

function parseFormC(value: object, authority: string, kind: "own" | "other"): CodexIdentity {
  const parsed = codexManagedIdentitySchema.safeParse(value);
  // Claims no owner: an object of another program, in an unknown form, does not say whose agent it holds.
  if (!parsed.success) return unreadable(describeIssues(parsed.error), value);
  const entry: StoredIdentity = {
    authority,
    account_id: parsed.data.account_id,
    user_id: parsed.data.chatgpt_user_id,
    private_key: parsed.data.agent_private_key,
    agent_runtime_id: parsed.data.agent_runtime_id,
    state: "registered",
  };
  return { kind, entry, taskId: parsed.data.task_id };
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
