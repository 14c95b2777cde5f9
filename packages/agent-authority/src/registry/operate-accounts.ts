import type { AccountQuery, RevokeAccountBody } from "../schema/admin-requests.js";
import type { AccountEntry, RevokedAccountEntry } from "../schema/registry-entries.js";
import type { AuthorityStore, Rows } from "../store/authority-store.js";
import type { AccountRow } from "../store/database.js";
import { type AccountScope, isWithin } from "./account-scope.js";
import { appendAuditEvent } from "./audit.js";
import type { AuditStamp } from "./audit-stamp.js";
import { countBelow, NOTHING_STOPPED } from "./count-stopped.js";
import { checkKnown } from "./known-principals.js";
import { principalStateOf } from "./life-state.js";
import { listPage } from "./list-page.js";
import { matches } from "./matching-ids.js";
import { checkPrincipalIds, insertAccount } from "./principals.js";
import { withoutNulls } from "./without-nulls.js";

export function listAccounts(
  { rows }: AuthorityStore,
  { state, after, limit }: AccountQuery,
  scope: AccountScope,
): Promise<AccountEntry[]> {
  return listPage<AccountRow, AccountEntry>(limit, {
    read: (last, count) => {
      const seen = last?.account_id ?? after ?? "";
      let query = rows.selectFrom("accounts").selectAll().where("account_id", ">", seen);
      if (scope !== undefined) query = query.where("account_id", "in", scope);
      return query.orderBy("account_id").limit(count).execute();
    },
    toEntry: (row) => {
      const account = toEntry(row);
      return state === undefined || account.state === state ? account : undefined;
    },
  });
}

/** The accounts whose ids begin so, by their ids. */
export async function findAccounts(
  rows: Rows,
  prefix: string,
  count: number,
  scope: AccountScope,
): Promise<AccountEntry[]> {
  let query = rows.selectFrom("accounts").selectAll();
  if (scope !== undefined) query = query.where("account_id", "in", scope);
  const found = await query
    .where(matches("account_id", { prefix }))
    .orderBy("account_id")
    .limit(count)
    .execute();
  return found.map(toEntry);
}

/** As `revokeUser`, for a whole account. */
export async function revokeAccount(
  store: AuthorityStore,
  { account_id: accountId, even_if_unknown = false }: RevokeAccountBody,
  stamp: AuditStamp,
  scope: AccountScope,
): Promise<RevokedAccountEntry> {
  checkPrincipalIds({ accountId });
  const { entry, wasActive } = await store.transaction(async (rows) => {
    if (!even_if_unknown || !isWithin(scope, accountId)) {
      await checkKnown(rows, { accountId }, scope);
    }
    await insertAccount(rows, accountId, stamp);
    const row = await lockAccount(rows, accountId).executeTakeFirstOrThrow();
    const wasActive = row.revoked_at === null;
    if (wasActive) await changeAccount(rows, row, stamp.text, "account_revoked", stamp);
    return { entry: toEntry(row), wasActive };
  });
  const stopped = wasActive ? await countBelow(store.rows, { accountId }, stamp) : NOTHING_STOPPED;
  return { ...entry, stopped };
}

export function restoreAccount(
  store: AuthorityStore,
  accountId: string,
  stamp: AuditStamp,
  scope: AccountScope,
): Promise<AccountEntry | undefined> {
  if (!isWithin(scope, accountId)) return Promise.resolve(undefined);
  return store.transaction(async (rows) => {
    const row = await lockAccount(rows, accountId).executeTakeFirst();
    if (row === undefined) return undefined;
    if (row.revoked_at !== null) {
      await changeAccount(rows, row, null, "account_restored", stamp);
    }
    return toEntry(row);
  });
}

function lockAccount(rows: Rows, accountId: string) {
  return rows
    .selectFrom("accounts")
    .selectAll()
    .where("account_id", "=", accountId)
    .forNoKeyUpdate();
}

async function changeAccount(
  rows: Rows,
  row: AccountRow,
  revokedAt: string | null,
  action: "account_revoked" | "account_restored",
  stamp: AuditStamp,
): Promise<void> {
  row.revoked_at = revokedAt;
  await rows
    .updateTable("accounts")
    .set({ revoked_at: revokedAt })
    .where("account_id", "=", row.account_id)
    .execute();
  await appendAuditEvent(rows, stamp, action, { account_id: row.account_id });
}

function toEntry(row: AccountRow): AccountEntry {
  return withoutNulls({
    account_id: row.account_id,
    state: principalStateOf(row.revoked_at),
    created_at: row.created_at,
    revoked_at: row.revoked_at,
  });
}
