import { isServerId } from "@countersign/agent-key";
import type { Selectable } from "kysely";
import { uuidv7 } from "uuidv7";
import { AgentAuthorityError } from "../agent-authority-error.js";
import { checkRequested } from "../option-checks.js";
import type { AccessTokenQuery, CreateAccessTokenBody } from "../schema/admin-requests.js";
import type { AccessTokenEntry, CreatedAccessTokenEntry } from "../schema/registry-entries.js";
import { TOKEN_ROLES, type TokenRole } from "../schema/roles-and-states.js";
import type { AuthorityStore, Rows } from "../store/authority-store.js";
import type { Database } from "../store/database.js";
import { createSecret, hashSecret } from "./access-token.js";
import { appendAuditEvent } from "./audit.js";
import type { AuditStamp } from "./audit-stamp.js";
import { lifeStateOf } from "./life-state.js";
import { listPage } from "./list-page.js";
import { checkPrincipalIds } from "./principals.js";
import { ASKED_TTL, endOfLife, type Instant } from "./times.js";
import { withoutNulls } from "./without-nulls.js";

type AccessTokenRow = Selectable<Database["access_tokens"]>;

interface ListedToken extends AccessTokenRow {
  readonly user_revoked_at: string | null;
  readonly account_revoked_at: string | null;
}

export async function createAccessToken(
  store: AuthorityStore,
  body: CreateAccessTokenBody,
  stamp: AuditStamp,
): Promise<CreatedAccessTokenEntry> {
  const { account_id, user_id, role, ttl_seconds } = checkBody(body);
  const id = `token_${uuidv7()}`;
  const token = createSecret(role);
  const expiresAt = endOfLife(stamp, ttl_seconds);
  await store.transaction(async (rows) => {
    await rows
      .insertInto("access_tokens")
      .values({
        access_token_id: id,
        token_hash: hashSecret(token),
        role,
        account_id,
        user_id,
        created_at: stamp.text,
        expires_at: expiresAt,
        revoked_at: null,
      })
      .execute();
    await appendAuditEvent(rows, stamp, "access_token_created", {
      account_id,
      user_id,
      access_token_id: id,
    });
  });
  return { id, token, expires_at: expiresAt };
}

export function listAccessTokens(
  { rows }: AuthorityStore,
  { account_id, user_id, role, after, limit }: AccessTokenQuery,
  instant: Instant,
): Promise<AccessTokenEntry[]> {
  return listPage<ListedToken, AccessTokenEntry>(limit, {
    read: (last, count) => {
      const seen = last?.access_token_id ?? after;
      let query = selectTokens(rows);
      if (account_id !== undefined)
        query = query.where("access_tokens.account_id", "=", account_id);
      if (user_id !== undefined) query = query.where("access_tokens.user_id", "=", user_id);
      if (role !== undefined) query = query.where("role", "=", role);
      if (seen !== undefined) query = query.where("access_token_id", ">", seen);
      return query.orderBy("access_token_id").limit(count).execute();
    },
    toEntry: (row) => toEntry(row, instant),
  });
}

// Tokens with the state of their users and accounts, with which they end.
function selectTokens(rows: Rows) {
  return rows
    .selectFrom("access_tokens")
    .leftJoin("accounts", "accounts.account_id", "access_tokens.account_id")
    .leftJoin("users", (join) =>
      join
        .onRef("users.account_id", "=", "access_tokens.account_id")
        .onRef("users.user_id", "=", "access_tokens.user_id"),
    )
    .selectAll("access_tokens")
    .select(["users.revoked_at as user_revoked_at", "accounts.revoked_at as account_revoked_at"]);
}

export function revokeAccessToken(
  store: AuthorityStore,
  id: string,
  stamp: AuditStamp,
): Promise<AccessTokenEntry | undefined> {
  return store.transaction(async (rows) => {
    const row = await lockRow(rows, id);
    if (row === undefined) return undefined;
    if (row.revoked_at === null) {
      row.revoked_at = stamp.text;
      await rows
        .updateTable("access_tokens")
        .set({ revoked_at: stamp.text })
        .where("access_token_id", "=", id)
        .execute();
      await appendAuditEvent(rows, stamp, "access_token_revoked", row);
    }
    return toEntry(row, stamp);
  });
}

async function lockRow(rows: Rows, id: string): Promise<AccessTokenRow | undefined> {
  if (!isServerId(id)) return undefined;
  return rows
    .selectFrom("access_tokens")
    .selectAll()
    .where("access_token_id", "=", id)
    .forNoKeyUpdate()
    .executeTakeFirst();
}

function checkBody(body: CreateAccessTokenBody): CreateAccessTokenBody {
  const { account_id, user_id, role, ttl_seconds } = body;
  checkPrincipalIds({ accountId: account_id, userId: user_id });
  if (!isTokenRole(role)) {
    throw new AgentAuthorityError("invalid_request", "the role of a token is unknown", {
      hint: `use one of ${TOKEN_ROLES.join(", ")}`,
    });
  }
  checkRequested("ttlSeconds", ttl_seconds, ASKED_TTL);
  return body;
}

function isTokenRole(value: string): value is TokenRole {
  return (TOKEN_ROLES as readonly string[]).includes(value);
}

function toEntry(row: AccessTokenRow, instant: Instant): AccessTokenEntry {
  return withoutNulls({
    id: row.access_token_id,
    role: parseRole(row.role),
    account_id: row.account_id,
    user_id: row.user_id,
    state: lifeStateOf(row, instant),
    created_at: row.created_at,
    expires_at: row.expires_at,
    revoked_at: row.revoked_at,
  });
}

function parseRole(role: string): TokenRole {
  if (isTokenRole(role)) return role;
  throw new AgentAuthorityError("store_corrupt", "the database holds a token of an unknown role");
}
