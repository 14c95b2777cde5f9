import type { Rows } from "../store/authority-store.js";
import { createSecret, hashSecret, isSecretOf } from "./access-token.js";
import { appendAuditEvent } from "./audit.js";
import { type AuditStamp, actedBy } from "./audit-stamp.js";
import { confirmToken, isTokenLive } from "./authenticate.js";
import { formatClaims, parseClaims } from "./kept-claims.js";
import { lifeStateOf } from "./life-state.js";
import type { Principal } from "./principal.js";
import { Refusal } from "./refusal.js";
import { endOfLife, type Instant } from "./times.js";

const LIFETIME_SECONDS = 60;

/** The one request that a biscuit is for. */
export interface BiscuitBinding {
  readonly method: string;
  /** The path after the mount prefix. */
  readonly target: string;
}

/** A biscuit that lives, was made for this request, and may or may not be spent. */
export interface UsableBiscuit extends Principal {
  readonly biscuitHash: string;
}

/** Makes a biscuit: proof of this human for one request within a minute (protocol §13.1, generation A). */
export async function issueBiscuit(
  rows: Rows,
  principal: Principal,
  binding: BiscuitBinding,
  stamp: AuditStamp,
): Promise<{ readonly biscuit: string; readonly expiresAt: string }> {
  const biscuit = createSecret("biscuit");
  const expiresAt = endOfLife(stamp, LIFETIME_SECONDS);
  await confirmToken(rows, principal, stamp);
  // What has ended is of no more use to anyone; its uses go with it.
  await rows.deleteFrom("biscuits").where("expires_at", "<=", stamp.text).execute();
  await rows
    .insertInto("biscuits")
    .values({
      biscuit_hash: hashSecret(biscuit),
      account_id: principal.accountId,
      user_id: principal.userId,
      actor: principal.actor,
      access_token_id: principal.accessTokenId ?? null,
      agent_ttl_seconds: principal.agentTtlSeconds ?? null,
      claims: formatClaims(principal),
      method: binding.method,
      target: binding.target,
      expires_at: expiresAt,
    })
    .execute();
  await appendAuditEvent(rows, actedBy(stamp, principal), "biscuit_issued", {
    account_id: principal.accountId,
    user_id: principal.userId,
    access_token_id: principal.accessTokenId,
  });
  return { biscuit, expiresAt };
}

/** Finds a biscuit that may be spent on this request. Throws `biscuit_invalid`; also when the token it came from was revoked since. */
export async function findBiscuit(
  rows: Rows,
  biscuit: string,
  binding: BiscuitBinding,
  instant: Instant,
): Promise<UsableBiscuit> {
  if (!isSecretOf("biscuit", biscuit)) throw invalid();
  const row = await rows
    .selectFrom("biscuits")
    .leftJoin("access_tokens", "access_tokens.access_token_id", "biscuits.access_token_id")
    .selectAll("biscuits")
    .select(["access_tokens.expires_at as token_expires_at", "access_tokens.revoked_at"])
    .select("access_tokens.name as token_name")
    .where("biscuit_hash", "=", hashSecret(biscuit))
    .executeTakeFirst();
  if (row === undefined || row.expires_at <= instant.text) throw invalid();
  if (row.method !== binding.method || row.target !== binding.target) throw invalid();
  const token = { revoked_at: row.revoked_at, expires_at: row.token_expires_at };
  if (lifeStateOf(token, instant) !== "active") throw invalid();
  return {
    biscuitHash: row.biscuit_hash,
    accountId: row.account_id,
    userId: row.user_id,
    actor: row.actor,
    actorName: row.token_name ?? undefined,
    accessTokenId: row.access_token_id ?? undefined,
    agentTtlSeconds: row.agent_ttl_seconds ?? undefined,
    claims: parseClaims(row.claims) ?? undefined,
  };
}

/**
 * Spends a biscuit, in the transaction of what it is spent on. Throws `biscuit_invalid` when it was spent before, or when the token it came
 * from has been revoked since it was found.
 */
export async function spendBiscuit(
  rows: Rows,
  biscuit: UsableBiscuit,
  instant: Instant,
): Promise<void> {
  const inserted = await rows
    .insertInto("biscuit_uses")
    .values({ biscuit_hash: biscuit.biscuitHash, used_at: instant.text })
    .onConflict((conflict) => conflict.column("biscuit_hash").doNothing())
    .executeTakeFirst();
  if (inserted.numInsertedOrUpdatedRows !== 1n) throw invalid();
  if (!(await isTokenLive(rows, biscuit, instant))) throw invalid();
}

function invalid(): Refusal {
  return new Refusal("biscuit_invalid", "the biscuit is not valid for this request", {
    hint: "mint one for this method and URL; it lives 60 seconds and is spent once",
  });
}
