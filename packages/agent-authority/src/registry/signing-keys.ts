import { createSigningKey } from "@countersign/agent-identity/server";
import { AgentAuthorityError } from "../agent-authority-error.js";
import type { SigningKeyEntry } from "../schema/registry-entries.js";
import type { AuthorityStore, Rows } from "../store/authority-store.js";
import type { SigningKeyRow } from "../store/database.js";
import { appendAuditEvent } from "./audit.js";
import type { AuditStamp } from "./audit-stamp.js";
import type { Instant } from "./times.js";
import { withoutNulls } from "./without-nulls.js";

// Each try sees what the last one lost to; more than one rotation at a time is an operator's accident.
const MAX_TRIES = 8;
// What a retired key leaves behind: nothing to sign with.
const NO_KEY = "null";

/** Makes the first signing key where there is none. Of several processes that do so at once, one makes it. */
export async function ensureSigningKey(store: AuthorityStore, stamp: AuditStamp): Promise<void> {
  const active = await store.rows
    .selectFrom("signing_keys")
    .select("kid")
    .where("retired_at", "is", null)
    .executeTakeFirst();
  if (active !== undefined) return;
  // Made outside of the transaction: it takes a while.
  const row = await createRow(stamp);
  await store.transaction((rows) => insertKey(rows, row, stamp));
}

/** A key that signs now. */
export interface ActiveKey {
  readonly kid: string;
  readonly privateJwk: Readonly<Record<string, unknown>>;
}

/** Gives the key that signs now. A rotation may retire it before it has signed: see {@link keepSigningKey}. */
export async function readActiveKey(rows: Rows): Promise<ActiveKey> {
  const row = await rows
    .selectFrom("signing_keys")
    .select(["kid", "private_jwk"])
    .where("retired_at", "is", null)
    .executeTakeFirst();
  if (row === undefined) throw noneSigns();
  return { kid: row.kid, privateJwk: parseJwk(row.private_jwk) };
}

/**
 * Keeps a key in the key set until `endsAt` at least, where it is still the one that signs, with its row locked until the transaction
 * ends: a rotation waits, and so never retires a key without knowing of the last JWT that it signed.
 *
 * @returns whether it still signs; what it signed is otherwise not to be given away
 */
export async function keepSigningKey(rows: Rows, kid: string, endsAt: string): Promise<boolean> {
  const row = await rows
    .selectFrom("signing_keys")
    .select("ends_at")
    .where("kid", "=", kid)
    .where("retired_at", "is", null)
    .forNoKeyUpdate()
    .executeTakeFirst();
  if (row === undefined) return false;
  if (row.ends_at === null || row.ends_at < endsAt) {
    await rows
      .updateTable("signing_keys")
      .set({ ends_at: endsAt })
      .where("kid", "=", kid)
      .execute();
  }
  return true;
}

/**
 * Lets a new key sign from now on. The old one's private half is removed; its public half stays in the key set until the last JWT that it
 * signed has ended.
 */
export async function rotateSigningKey(
  store: AuthorityStore,
  stamp: AuditStamp,
): Promise<SigningKeyEntry> {
  await ensureSigningKey(store, stamp);
  const row = await createRow(stamp);
  return store.transaction(async (rows) => {
    const { kid } = await lockActiveKey(rows);
    await rows
      .updateTable("signing_keys")
      .set({ retired_at: stamp.text, private_jwk: NO_KEY })
      .where("kid", "=", kid)
      .execute();
    await appendAuditEvent(rows, stamp, "signing_key_retired", {});
    await insertKey(rows, row, stamp);
    return toEntry(row, stamp);
  });
}

/** All signing keys, oldest first. */
export async function listSigningKeys(
  store: AuthorityStore,
  instant: Instant,
): Promise<SigningKeyEntry[]> {
  const found = await selectKeys(store.rows);
  return found.map((row) => toEntry(row, instant));
}

/** The public keys that JWTs are to be verified with now: the one that signs, and retired ones of which a JWT still lives. */
export async function readKeySet(
  rows: Rows,
  instant: Instant,
): Promise<{ readonly keys: readonly Readonly<Record<string, unknown>>[] }> {
  const found = await selectKeys(rows);
  const keys = found
    .filter((row) => stateOf(row, instant) !== "ended")
    .map((row) => parseJwk(row.public_jwk));
  return { keys };
}

/** The public half of a key by its id, also long after its end; `undefined` when it is none of this authority's. */
export async function findVerificationKey(
  rows: Rows,
  kid: string,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  const row = await rows
    .selectFrom("signing_keys")
    .select("public_jwk")
    .where("kid", "=", kid)
    .executeTakeFirst();
  return row && parseJwk(row.public_jwk);
}

function selectKeys(rows: Rows): Promise<SigningKeyRow[]> {
  return rows.selectFrom("signing_keys").selectAll().orderBy("created_at").orderBy("kid").execute();
}

async function lockActiveKey(rows: Rows): Promise<SigningKeyRow> {
  for (let attempt = 0; attempt < MAX_TRIES; attempt += 1) {
    const row = await rows
      .selectFrom("signing_keys")
      .selectAll()
      .where("retired_at", "is", null)
      .forNoKeyUpdate()
      .executeTakeFirst();
    // PostgreSQL finds none where it waited for a rotation to end: the new key came after this statement began.
    if (row !== undefined) return row;
  }
  throw noneSigns();
}

function noneSigns(): AgentAuthorityError {
  return new AgentAuthorityError("server_error", "no key signs identity JWTs", { retryable: true });
}

async function createRow(instant: Instant): Promise<SigningKeyRow> {
  const { kid, privateJwk, publicJwk } = await createSigningKey();
  return {
    kid,
    private_jwk: JSON.stringify(privateJwk),
    public_jwk: JSON.stringify(publicJwk),
    created_at: instant.text,
    retired_at: null,
    ends_at: null,
  };
}

// An index allows one row that is not retired, so the second of two concurrent calls inserts nothing.
async function insertKey(rows: Rows, row: SigningKeyRow, stamp: AuditStamp): Promise<void> {
  const { numInsertedOrUpdatedRows } = await rows
    .insertInto("signing_keys")
    .values(row)
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  if (numInsertedOrUpdatedRows === 1n) {
    await appendAuditEvent(rows, stamp, "signing_key_created", {});
  }
}

function toEntry(row: SigningKeyRow, instant: Instant): SigningKeyEntry {
  return withoutNulls({
    kid: row.kid,
    state: stateOf(row, instant),
    created_at: row.created_at,
    retired_at: row.retired_at,
    last_token_ends_at: row.ends_at,
  });
}

function stateOf(row: SigningKeyRow, instant: Instant): SigningKeyEntry["state"] {
  if (row.retired_at === null) return "active";
  return row.ends_at === null || row.ends_at <= instant.text ? "ended" : "retired";
}

function parseJwk(text: string): Readonly<Record<string, unknown>> {
  const value: unknown = JSON.parse(text);
  if (typeof value === "object" && value !== null) return { ...value };
  throw new AgentAuthorityError("store_corrupt", "the database holds an unreadable signing key");
}
