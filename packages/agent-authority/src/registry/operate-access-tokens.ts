import { isPrincipalId } from "@countersign/agent-key";
import type { Selectable } from "kysely";
import { uuidv7 } from "uuidv7";
import { AgentAuthorityError } from "../agent-authority-error.js";
import type { AuthorityStore, Rows } from "../store/authority-store.js";
import type { Database } from "../store/database.js";
import { createSecret, hashSecret } from "./access-token.js";
import { appendAuditEvent } from "./audit.js";
import { lifeStateOf } from "./life-state.js";
import {
  type AccessTokenInfo,
  type CreateAccessTokenOptions,
  type CreatedAccessToken,
  TOKEN_ROLES,
  type TokenRole,
} from "./registry-types.js";
import { endOfLife, type Instant, MAX_TTL_SECONDS } from "./times.js";

export async function createAccessToken(
  store: AuthorityStore,
  options: CreateAccessTokenOptions,
  instant: Instant,
): Promise<CreatedAccessToken> {
  const { accountId, userId, role, ttlSeconds } = checkOptions(options);
  const id = `token_${uuidv7()}`;
  const token = createSecret(role);
  const expiresAt = endOfLife(instant, ttlSeconds);
  await store.transaction(async (rows) => {
    await rows
      .insertInto("access_tokens")
      .values({
        access_token_id: id,
        token_hash: hashSecret(token),
        role,
        account_id: accountId,
        user_id: userId,
        created_at: instant.text,
        expires_at: expiresAt,
        revoked_at: null,
      })
      .execute();
    await appendAuditEvent(rows, instant, "access_token_created", {
      account_id: accountId,
      user_id: userId,
      access_token_id: id,
    });
  });
  return { id, token, expiresAt };
}

export async function listAccessTokens(
  store: AuthorityStore,
  instant: Instant,
): Promise<AccessTokenInfo[]> {
  const found = await store.rows
    .selectFrom("access_tokens")
    .selectAll()
    .orderBy("created_at")
    .orderBy("access_token_id")
    .execute();
  return found.map((row) => toAccessTokenInfo(row, instant));
}

export function revokeAccessToken(
  store: AuthorityStore,
  id: string,
  instant: Instant,
): Promise<AccessTokenInfo | undefined> {
  return store.transaction(async (rows) => {
    const row = await findRow(rows, id);
    if (row === undefined) return undefined;
    if (row.revoked_at === null) {
      row.revoked_at = instant.text;
      await rows
        .updateTable("access_tokens")
        .set({ revoked_at: instant.text })
        .where("access_token_id", "=", id)
        .execute();
      await appendAuditEvent(rows, instant, "access_token_revoked", row);
    }
    return toAccessTokenInfo(row, instant);
  });
}

function findRow(rows: Rows, id: string) {
  return rows
    .selectFrom("access_tokens")
    .selectAll()
    .where("access_token_id", "=", id)
    .executeTakeFirst();
}

function checkOptions(options: CreateAccessTokenOptions): CreateAccessTokenOptions {
  const { accountId, userId, role, ttlSeconds } = options;
  if (!isPrincipalId(accountId)) throw invalid("the account id");
  if (!isPrincipalId(userId)) throw invalid("the user id");
  if (!isTokenRole(role)) {
    throw new AgentAuthorityError("invalid_request", "the role of a token is unknown", {
      hint: `use one of ${TOKEN_ROLES.join(", ")}`,
    });
  }
  if (!Number.isInteger(ttlSeconds) || ttlSeconds < 1 || ttlSeconds > MAX_TTL_SECONDS) {
    throw new AgentAuthorityError("invalid_request", "the lifetime of a token is out of range", {
      hint: "use whole seconds, from 1 second to 3650 days",
    });
  }
  return options;
}

function invalid(what: string): AgentAuthorityError {
  return new AgentAuthorityError("invalid_request", `${what} is not allowed`, {
    hint: 'use 1 to 256 printable ASCII characters without space, ", comma and backslash',
  });
}

function isTokenRole(value: string): value is TokenRole {
  return (TOKEN_ROLES as readonly string[]).includes(value);
}

function toAccessTokenInfo(
  row: Selectable<Database["access_tokens"]>,
  instant: Instant,
): AccessTokenInfo {
  return {
    id: row.access_token_id,
    role: parseRole(row.role),
    accountId: row.account_id,
    userId: row.user_id,
    state: lifeStateOf(row, instant),
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    revokedAt: row.revoked_at ?? undefined,
  };
}

function parseRole(role: string): TokenRole {
  if (isTokenRole(role)) return role;
  throw new AgentAuthorityError("store_corrupt", "the database holds a token of an unknown role");
}
