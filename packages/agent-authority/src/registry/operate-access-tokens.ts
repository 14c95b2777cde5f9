import { isServerId } from "@countersign/agent-key";
import type { AccessTokenQuery } from "../schema/admin-requests.js";
import type { AccessTokenEntry, RevokedAccessTokenEntry } from "../schema/registry-entries.js";
import type { AuthorityStore, Rows } from "../store/authority-store.js";
import type { AccessTokenRow } from "../store/database.js";
import { type AccountScope, isWithin } from "./account-scope.js";
import { appendAuditEvent } from "./audit.js";
import type { AuditStamp } from "./audit-stamp.js";
import { NOTHING_STOPPED } from "./count-stopped.js";
import { lifeStateOf } from "./life-state.js";
import { listPage } from "./list-page.js";
import { matches } from "./matching-ids.js";
import type { Instant } from "./times.js";
import { rightsOf } from "./token-rights.js";
import { withoutNulls } from "./without-nulls.js";

interface ListedToken extends AccessTokenRow {
  readonly user_revoked_at: string | null;
  readonly account_revoked_at: string | null;
}

export function listAccessTokens(
  { rows }: AuthorityStore,
  { account_id, user_id, role, after, limit }: AccessTokenQuery,
  instant: Instant,
  scope: AccountScope,
): Promise<AccessTokenEntry[]> {
  return listPage<ListedToken, AccessTokenEntry>(limit, {
    read: (last, count) => {
      const seen = last?.access_token_id ?? after ?? "";
      let query = selectTokens(rows).where("access_token_id", ">", seen);
      if (scope !== undefined) query = query.where("access_tokens.account_id", "in", scope);
      if (account_id !== undefined)
        query = query.where("access_tokens.account_id", "=", account_id);
      if (user_id !== undefined) query = query.where("access_tokens.user_id", "=", user_id);
      if (role !== undefined) query = query.where("role", "=", role);
      return query.orderBy("access_token_id").limit(count).execute();
    },
    toEntry: (row) => (isTokenWithin(scope, row) ? toEntry(row, instant) : undefined),
  });
}

/** The newest tokens whose ids begin so, or that people call so. */
export async function findAccessTokens(
  rows: Rows,
  match: { readonly prefix: string } | { readonly name: string },
  count: number,
  instant: Instant,
  scope: AccountScope,
): Promise<AccessTokenEntry[]> {
  // In portions, so that a token outside of the scope takes no place of one within it.
  return listPage<ListedToken, AccessTokenEntry>(count, {
    read: (last, portion) => {
      let query = selectTokens(rows);
      if (scope !== undefined) query = query.where("access_tokens.account_id", "in", scope);
      if (last !== undefined) query = query.where("access_token_id", "<", last.access_token_id);
      return query
        .where((eb) =>
          "name" in match
            ? eb("access_tokens.name", "=", match.name)
            : matches("access_tokens.access_token_id", match),
        )
        .orderBy("access_tokens.access_token_id", "desc")
        .limit(portion)
        .execute();
    },
    toEntry: (row) => (isTokenWithin(scope, row) ? toEntry(row, instant) : undefined),
  });
}

/** Returns whether a token is within a scope. One that is for other accounts as well, or for all, would tell of them. */
export function isTokenWithin(scope: AccountScope, row: AccessTokenRow): boolean {
  return isWithin(scope, row.account_id) && !isForMore(scope, row);
}

// Of which account the token is does not matter: operators of some accounts may be of another one.
function isForMore(scope: AccountScope, row: AccessTokenRow): boolean {
  if (scope === undefined) return false;
  const { role, accounts } = rightsOf(row);
  // A human's token is for its own account alone.
  if (role === "human") return !isWithin(scope, row.account_id);
  return accounts?.every((account) => isWithin(scope, account)) !== true;
}

/** What a scope decides about a token. */
export interface TokenStanding {
  /** Whether it is listed. */
  readonly isWithin: boolean;
  /** Whether it is named where it did something within the scope: it is for no account outside of it. */
  readonly isNamed: boolean;
}

/** Returns what a scope decides about the tokens with these ids, as far as there are such tokens. */
export async function standingOfTokens(
  rows: Rows,
  ids: readonly string[],
  scope: AccountScope,
): Promise<ReadonlyMap<string, TokenStanding>> {
  if (ids.length === 0) return new Map();
  const tokens = await rows
    .selectFrom("access_tokens")
    .selectAll()
    .where("access_token_id", "in", [...new Set(ids)])
    .execute();
  return new Map(
    tokens.map((row) => [
      row.access_token_id,
      { isWithin: isTokenWithin(scope, row), isNamed: !isForMore(scope, row) },
    ]),
  );
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
  scope: AccountScope,
): Promise<RevokedAccessTokenEntry | undefined> {
  return store.transaction(async (rows) => {
    const row = await lockToken(rows, id);
    if (row === undefined || !isTokenWithin(scope, row)) return undefined;
    const tokens = (await isUsable(rows, row, stamp)) ? 1 : 0;
    if (row.revoked_at === null) {
      row.revoked_at = stamp.text;
      await rows
        .updateTable("access_tokens")
        .set({ revoked_at: stamp.text })
        .where("access_token_id", "=", id)
        .execute();
      await appendAuditEvent(rows, stamp, "access_token_revoked", row);
    }
    return { ...toEntry(row, stamp), stopped: { ...NOTHING_STOPPED, tokens } };
  });
}

/** Returns whether a token lives. It ends with its user and its account. */
export async function isUsable(
  rows: Rows,
  row: AccessTokenRow,
  instant: Instant,
): Promise<boolean> {
  const found = await selectTokens(rows)
    .where("access_token_id", "=", row.access_token_id)
    .executeTakeFirst();
  return found !== undefined && lifeStateOf(found, instant) === "active";
}

/** Finds a token and keeps others from changing it until the transaction ends. */
export async function lockToken(rows: Rows, id: string): Promise<AccessTokenRow | undefined> {
  if (!isServerId(id)) return undefined;
  return rows
    .selectFrom("access_tokens")
    .selectAll()
    .where("access_token_id", "=", id)
    .forNoKeyUpdate()
    .executeTakeFirst();
}

function toEntry(row: AccessTokenRow, instant: Instant): AccessTokenEntry {
  return withoutNulls({
    id: row.access_token_id,
    ...toRights(row),
    name: row.name,
    account_id: row.account_id,
    user_id: row.user_id,
    state: lifeStateOf(row, instant),
    created_at: row.created_at,
    expires_at: row.expires_at,
    last_used_at: row.last_used_at,
    revoked_at: row.revoked_at,
  });
}

function toRights(row: AccessTokenRow): Pick<AccessTokenEntry, "role" | "scopes" | "accounts"> {
  const { role, scopes, accounts } = rightsOf(row);
  return {
    role,
    ...(scopes.length > 0 && { scopes: [...scopes] }),
    ...(accounts !== undefined && { accounts: [...accounts] }),
  };
}
