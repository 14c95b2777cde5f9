import type { UserQuery } from "../schema/admin-requests.js";
import type { UserEntry } from "../schema/registry-entries.js";
import type { AuthorityStore, Rows } from "../store/authority-store.js";
import type { UserRow } from "../store/database.js";
import { appendAuditEvent } from "./audit.js";
import type { AuditStamp } from "./audit-stamp.js";
import { principalStateOf } from "./life-state.js";
import { listPage } from "./list-page.js";
import { checkPrincipalIds, insertAccount, insertUser, type PrincipalIds } from "./principals.js";
import { withoutNulls } from "./without-nulls.js";

/** A user with what ends it besides its own row. */
interface FoundUser extends UserRow {
  readonly account_revoked_at: string | null;
}

export function listUsers(
  { rows }: AuthorityStore,
  { account_id, state, after, limit }: UserQuery,
): Promise<UserEntry[]> {
  const [afterAccount = "", afterUser = ""] = after?.split(",") ?? [];
  const first = after === undefined ? undefined : { account_id: afterAccount, user_id: afterUser };
  return listPage<FoundUser, UserEntry>(limit, {
    read: (last, count) => {
      const seen = last ?? first;
      let query = selectUsers(rows);
      if (account_id !== undefined) query = query.where("users.account_id", "=", account_id);
      if (seen !== undefined) {
        query = query.where((eb) =>
          eb(
            eb.refTuple("users.account_id", "users.user_id"),
            ">",
            eb.tuple(seen.account_id, seen.user_id),
          ),
        );
      }
      return query.orderBy("users.account_id").orderBy("users.user_id").limit(count).execute();
    },
    toEntry: (row) => {
      const user = toEntry(row);
      return state === undefined || user.state === state ? user : undefined;
    },
  });
}

/** Also where the user was never heard of: it is then barred before it comes. */
export async function revokeUser(
  store: AuthorityStore,
  ids: PrincipalIds,
  stamp: AuditStamp,
): Promise<UserEntry> {
  checkPrincipalIds(ids);
  return store.transaction(async (rows) => {
    await insertAccount(rows, ids.accountId, stamp);
    await insertUser(rows, ids, stamp);
    const row = await lockUser(rows, ids).executeTakeFirstOrThrow();
    if (row.revoked_at === null) {
      await changeUser(rows, row, stamp.text, "user_revoked", stamp);
    }
    return toEntry(row);
  });
}

export function restoreUser(
  store: AuthorityStore,
  ids: PrincipalIds,
  stamp: AuditStamp,
): Promise<UserEntry | undefined> {
  return store.transaction(async (rows) => {
    const row = await lockUser(rows, ids).executeTakeFirst();
    if (row === undefined) return undefined;
    if (row.revoked_at !== null) await changeUser(rows, row, null, "user_restored", stamp);
    return toEntry(row);
  });
}

function lockUser(rows: Rows, { accountId, userId }: PrincipalIds) {
  return selectUsers(rows)
    .where("users.account_id", "=", accountId)
    .where("users.user_id", "=", userId)
    .forNoKeyUpdate(["users"]);
}

function selectUsers(rows: Rows) {
  return rows
    .selectFrom("users")
    .leftJoin("accounts", "accounts.account_id", "users.account_id")
    .selectAll("users")
    .select("accounts.revoked_at as account_revoked_at");
}

async function changeUser(
  rows: Rows,
  row: FoundUser,
  revokedAt: string | null,
  action: "user_revoked" | "user_restored",
  stamp: AuditStamp,
): Promise<void> {
  row.revoked_at = revokedAt;
  await rows
    .updateTable("users")
    .set({ revoked_at: revokedAt })
    .where("account_id", "=", row.account_id)
    .where("user_id", "=", row.user_id)
    .execute();
  await appendAuditEvent(rows, stamp, action, {
    account_id: row.account_id,
    user_id: row.user_id,
  });
}

function toEntry(row: FoundUser): UserEntry {
  return withoutNulls({
    account_id: row.account_id,
    user_id: row.user_id,
    state: principalStateOf(row.revoked_at ?? row.account_revoked_at),
    created_at: row.created_at,
    revoked_at: row.revoked_at,
  });
}
