// The rows of the database. Times are RFC 3339 text in whole seconds, so that they compare as text; states are text; lists are JSON text.
// The same queries run on SQLite and PostgreSQL.

import type { Generated, Selectable } from "kysely";

export interface AccessTokenTable {
  access_token_id: string;
  /** SHA-256 of the token, in hexadecimal. */
  token_hash: string;
  role: string;
  account_id: string;
  user_id: string;
  created_at: string;
  expires_at: string;
  /** The end that it was made with, if a rotation has made it sooner; null otherwise. */
  first_expires_at: string | null;
  revoked_at: string | null;
  /** What people call it; not unique. */
  name: string | null;
  /** JSON array of what it may do besides its role, see `TOKEN_SCOPES`. */
  scopes: Generated<string>;
  /** JSON array of the accounts that it is for, sorted; null for all. */
  accounts: string | null;
  /** When it was last used, to some minutes. */
  last_used_at: string | null;
}

export type AccessTokenRow = Selectable<AccessTokenTable>;

export interface BiscuitRow {
  /** SHA-256 of the biscuit, in hexadecimal. */
  biscuit_hash: string;
  account_id: string;
  user_id: string;
  /** Whose proof it was made for, as in the audit log. */
  actor: string;
  /** Null for a human of an OIDC issuer. */
  access_token_id: string | null;
  /** How long an agent of this human lives at most; null for no bound of its own. */
  agent_ttl_seconds: number | null;
  /** JSON object of the claims that an agent keeps of this human's token; null for none. */
  claims: string | null;
  method: string;
  /** The path after the mount prefix that the biscuit was made for. */
  target: string;
  expires_at: string;
}

/** A spent biscuit: the row exists or it does not, which is what makes a biscuit one-use across processes. */
export interface BiscuitUseRow {
  biscuit_hash: string;
  used_at: string;
}

/** One agent, or, while `proven_at` is null, one user's claim to a key. */
export interface AgentTable {
  agent_runtime_id: string;
  account_id: string;
  user_id: string;
  /** OpenSSH line; after a rotation the newest. */
  public_key: string;
  /** Base64 of the X25519 key that task ids are sealed to; kept since converting costs more than sealing. */
  x25519_public_key: string;
  /** JSON array of the granted ones, sorted. */
  capabilities: string;
  /** JSON object, self-declared. */
  abom: string;
  /** JSON object of the claims that are kept of its human's token; null for none. */
  claims: Generated<string | null>;
  state: "active" | "revoked";
  created_at: string;
  /** When the key was last claimed; an unproven claim lapses a day later. */
  claimed_at: string;
  proven_at: string | null;
  expires_at: string | null;
  revoked_at: string | null;
  /** `B`: its key was made here and travelled in an identity JWT. Else `C`, also where the human proved itself by biscuit. */
  generation: Generated<string>;
  /** Until when a key of before the last rotation is taken as well; null where none is. */
  former_keys_end_at: Generated<string | null>;
  /** 1 for an ephemeral agent, which always has an end and is counted apart; otherwise 0. */
  ephemeral: Generated<number>;
  /** Where it was registered from; null if that is not known. */
  address: Generated<string | null>;
}

export type AgentRow = Selectable<AgentTable>;

/** A value among an agent's claims, by which it is found. */
export interface AgentClaimRow {
  agent_runtime_id: string;
  value: string;
}

/** A key that an agent had before a rotation. It is never registered again. */
export interface FormerKeyRow {
  /** OpenSSH line. */
  public_key: string;
  agent_runtime_id: string;
  x25519_public_key: string;
  replaced_at: string;
  /** From then on nothing it signs is taken. */
  ends_at: string;
}

/** A key that identity JWTs are signed with (RS256). */
export interface SigningKeyRow {
  kid: string;
  /** JSON, private. A reader of the database can sign with it. */
  private_jwk: string;
  /** JSON, as in the key set. */
  public_jwk: string;
  created_at: string;
  /** Null for the one that signs. */
  retired_at: string | null;
  /** When the last JWT that it signed ends; null before the first. Until then it stays in the key set. */
  ends_at: string | null;
}

/** An account or a user that was heard of: revoking it stops everything below it. */
export interface AccountRow {
  account_id: string;
  created_at: string;
  revoked_at: string | null;
}

export interface UserRow extends AccountRow {
  user_id: string;
}

/** How often something was asked for in one window of time. */
export interface RateLimitRow {
  /** What is limited, such as `address:…`, `agent:…`. */
  name: string;
  window_start: string;
  count: number;
  expires_at: string;
}

export interface TaskRow {
  task_id: string;
  agent_runtime_id: string;
  /** SHA-256 of the Idempotency-Key, in hexadecimal; null once the task no longer answers for it. */
  idempotency_hash: string | null;
  state: "active" | "revoked";
  created_at: string;
  /** When it ends; with `idle_seconds` moved by its use. */
  expires_at: string | null;
  revoked_at: string | null;
  /** How long it may be unused; null for as long as it lives. */
  idle_seconds: number | null;
  /** With `idle_seconds`: the end that no use moves, null for none. */
  ttl_ends_at: string | null;
  /** Where it was registered from; null if that is not known. */
  address: string | null;
  /** What its client calls the thread, self-declared; null for nothing. */
  thread_label: string | null;
}

/** When an agent was last used, as it was reported. */
export interface AgentUseRow {
  agent_runtime_id: string;
  used_at: string;
  /** Who reported it: `token:ID`, with its name before it if it has one, `loopback` or `database`. */
  reported_by: string;
}

export interface TaskUseRow {
  task_id: string;
  /** The first use that was reported. */
  first_used_at: string;
  used_at: string;
  /** As of an agent. */
  reported_by: string;
}

export interface AuditEventRow {
  sequence: Generated<number>;
  at: string;
  action: string;
  account_id: string | null;
  user_id: string | null;
  agent_runtime_id: string | null;
  task_id: string | null;
  access_token_id: string | null;
  /** The code of a refusal; null for a change. */
  code: string | null;
  /** Who did it: `token:ID`, `oidc:NAME`, `admin:ID`, `operator:USER@HOST`. */
  actor: string | null;
  /** The name of the token that did it. */
  actor_name: string | null;
  /** From where. */
  address: string | null;
  /** The agent that a refused request named, where its signature did not hold. */
  claimed_agent_runtime_id: string | null;
  request_id: string | null;
  /** Why an operator did it. */
  reason: string | null;
}

/** The nonce of a bound request that was accepted: the row exists or it does not, which is what makes it one-use across processes. */
export interface SpentNonceRow {
  /** SHA-256 of authority, agent and nonce, in hexadecimal. */
  nonce_hash: string;
  /** From then on the request is refused by its age. */
  expires_at: string;
}

export interface Database {
  access_tokens: AccessTokenTable;
  biscuits: BiscuitRow;
  biscuit_uses: BiscuitUseRow;
  agents: AgentTable;
  agent_claims: AgentClaimRow;
  tasks: TaskRow;
  agent_uses: AgentUseRow;
  task_uses: TaskUseRow;
  audit_events: AuditEventRow;
  spent_nonces: SpentNonceRow;
  accounts: AccountRow;
  users: UserRow;
  former_keys: FormerKeyRow;
  signing_keys: SigningKeyRow;
  rate_limits: RateLimitRow;
}
