// The rows of the database. Times are RFC 3339 text in whole seconds, so that they compare as text; states are text; lists are JSON text.
// Nothing here is special to SQLite but the migrations: the same queries are to run on PostgreSQL.

import type { Generated } from "kysely";

interface AccessTokenRow {
  access_token_id: string;
  /** SHA-256 of the token, in hexadecimal. */
  token_hash: string;
  role: string;
  account_id: string;
  user_id: string;
  created_at: string;
  expires_at: string;
  revoked_at: string | null;
}

interface BiscuitRow {
  /** SHA-256 of the biscuit, in hexadecimal. */
  biscuit_hash: string;
  access_token_id: string;
  method: string;
  /** The path after the mount prefix that the biscuit was made for. */
  target: string;
  expires_at: string;
}

/** A spent biscuit: the row exists or it does not, which is what makes a biscuit one-use across processes. */
interface BiscuitUseRow {
  biscuit_hash: string;
  used_at: string;
}

/** One agent, or, while `proven_at` is null, one user's claim to a key. */
export interface AgentRow {
  agent_runtime_id: string;
  account_id: string;
  user_id: string;
  /** OpenSSH line. */
  public_key: string;
  /** Base64 of the X25519 key that task ids are sealed to; kept since converting costs more than sealing. */
  x25519_public_key: string;
  /** JSON array of the granted ones, sorted. */
  capabilities: string;
  /** JSON object, self-declared. */
  abom: string;
  state: "active" | "revoked";
  created_at: string;
  /** When the key was last claimed; an unproven claim lapses a day later. */
  claimed_at: string;
  proven_at: string | null;
  expires_at: string | null;
  revoked_at: string | null;
}

export interface TaskRow {
  task_id: string;
  agent_runtime_id: string;
  /** SHA-256 of the Idempotency-Key, in hexadecimal; null once the task no longer answers for it. */
  idempotency_hash: string | null;
  state: "active" | "revoked";
  created_at: string;
  expires_at: string | null;
  revoked_at: string | null;
}

interface AuditEventRow {
  sequence: Generated<number>;
  at: string;
  action: string;
  account_id: string | null;
  user_id: string | null;
  agent_runtime_id: string | null;
  task_id: string | null;
  access_token_id: string | null;
}

/** The nonce of a bound request that was accepted: the row exists or it does not, which is what makes it one-use across processes. */
interface SpentNonceRow {
  /** SHA-256 of authority, agent and nonce, in hexadecimal. */
  nonce_hash: string;
  /** From then on the request is refused by its age. */
  expires_at: string;
}

export interface Database {
  access_tokens: AccessTokenRow;
  biscuits: BiscuitRow;
  biscuit_uses: BiscuitUseRow;
  agents: AgentRow;
  tasks: TaskRow;
  audit_events: AuditEventRow;
  spent_nonces: SpentNonceRow;
}
