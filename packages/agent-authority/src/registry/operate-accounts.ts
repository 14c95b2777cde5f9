import type { AccountQuery } from "../schema/admin-requests.js";
import type { AccountEntry } from "../schema/registry-entries.js";
import type { AuthorityStore, Rows } from "../store/authority-store.js";
import type { AccountRow } from "../store/database.js";
import { appendAuditEvent } from "./audit.js";
import type { AuditStamp } from "./audit-stamp.js";
import { principalStateOf } from "./life-state.js";
import { listPage } from "./list-page.js";
import { checkPrincipalIds, insertAccount } from "./principals.js";
import { withoutNulls } from "./without-nulls.js";

export function listAccounts(
  { rows }: AuthorityStore,
  { state, after, limit }: AccountQuery,
): Promise<AccountEntry[]> {
  return listPage<AccountRow, AccountEntry>(limit, {
    read: (last, count) => {
      const seen = last?.account_id ?? after;
      let query = rows.selectFrom("accounts").selectAll();
      if (seen !== undefined) query = query.where("account_id", ">", seen);
      return query.orderBy("account_id").limit(count).execute();
    },
    toEntry: (row) => {
      const account = toEntry(row);
      return state === undefined || account.state === state ? account : undefined;
    },
  });
}

/** Also where the account was never heard of: it is then barred before it comes. */
export async function revokeAccount(
  store: AuthorityStore,
  accountId: string,
  stamp: AuditStamp,
): Promise<AccountEntry> {
  checkPrincipalIds({ accountId });
  return store.transaction(async (rows) => {
    await insertAccount(rows, accountId, stamp);
    const row = await lockAccount(rows, accountId).executeTakeFirstOrThrow();
    if (row.revoked_at === null) {
      await changeAccount(rows, row, stamp.text, "account_revoked", stamp);
    }
    return toEntry(row);
  });
}

export function restoreAccount(
  store: AuthorityStore,
  accountId: string,
  stamp: AuditStamp,
): Promise<AccountEntry | undefined> {
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
