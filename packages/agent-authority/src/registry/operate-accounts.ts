import type { AuthorityStore, Rows } from "../store/authority-store.js";
import type { AccountRow } from "../store/database.js";
import { appendAuditEvent } from "./audit.js";
import type { AccountFilter } from "./list-filters.js";
import { listPage } from "./list-page.js";
import type { Occasion } from "./occasion.js";
import { checkPrincipalIds, insertAccount } from "./principals.js";
import type { AccountInfo } from "./registry-types.js";

export function listAccounts(
  { rows }: AuthorityStore,
  { state, after, limit }: AccountFilter,
): Promise<AccountInfo[]> {
  return listPage<AccountRow, AccountInfo>(limit, {
    read: (last, count) => {
      const seen = last?.account_id ?? after;
      let query = rows.selectFrom("accounts").selectAll();
      if (seen !== undefined) query = query.where("account_id", ">", seen);
      return query.orderBy("account_id").limit(count).execute();
    },
    toEntry: (row) => {
      const account = toAccountInfo(row);
      return state === undefined || account.state === state ? account : undefined;
    },
  });
}

/** Also where the account was never heard of: it is then barred before it comes. */
export async function revokeAccount(
  store: AuthorityStore,
  accountId: string,
  occasion: Occasion,
): Promise<AccountInfo> {
  checkPrincipalIds({ accountId });
  return store.transaction(async (rows) => {
    await insertAccount(rows, accountId, occasion);
    const row = await lockAccount(rows, accountId).executeTakeFirstOrThrow();
    if (row.revoked_at === null) {
      await changeAccount(rows, row, occasion.text, "account_revoked", occasion);
    }
    return toAccountInfo(row);
  });
}

export function restoreAccount(
  store: AuthorityStore,
  accountId: string,
  occasion: Occasion,
): Promise<AccountInfo | undefined> {
  return store.transaction(async (rows) => {
    const row = await lockAccount(rows, accountId).executeTakeFirst();
    if (row === undefined) return undefined;
    if (row.revoked_at !== null) {
      await changeAccount(rows, row, null, "account_restored", occasion);
    }
    return toAccountInfo(row);
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
  occasion: Occasion,
): Promise<void> {
  row.revoked_at = revokedAt;
  await rows
    .updateTable("accounts")
    .set({ revoked_at: revokedAt })
    .where("account_id", "=", row.account_id)
    .execute();
  await appendAuditEvent(rows, occasion, action, { account_id: row.account_id });
}

function toAccountInfo(row: AccountRow): AccountInfo {
  return {
    accountId: row.account_id,
    state: row.revoked_at === null ? "active" : "revoked",
    createdAt: row.created_at,
    revokedAt: row.revoked_at ?? undefined,
  };
}
