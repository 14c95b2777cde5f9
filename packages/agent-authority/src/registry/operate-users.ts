import type { RevokeUserBody, UserQuery } from "../schema/admin-requests.js";
import type { RevokedUserEntry, UserEntry } from "../schema/registry-entries.js";
import type { AuthorityStore, Rows } from "../store/authority-store.js";
import type { UserRow } from "../store/database.js";
import { type AccountScope, isWithin } from "./account-scope.js";
import { appendAuditEvent } from "./audit.js";
import type { AuditStamp } from "./audit-stamp.js";
import { countBelow, NOTHING_STOPPED } from "./count-stopped.js";
import { checkKnown } from "./known-principals.js";
import { principalStateOf } from "./life-state.js";
import { listPage } from "./list-page.js";
import { matches } from "./matching-ids.js";
import { checkPrincipalIds, insertAccount, insertUser, type PrincipalIds } from "./principals.js";
import { withoutNulls } from "./without-nulls.js";

/** A user with what ends it besides its own row. */
interface FoundUser extends UserRow {
  readonly account_revoked_at: string | null;
}

export function listUsers(
  { rows }: AuthorityStore,
  { account_id, state, after, limit }: UserQuery,
  scope: AccountScope,
): Promise<UserEntry[]> {
  const [afterAccount = "", afterUser = ""] = after?.split(",") ?? [];
  const first = { account_id: afterAccount, user_id: afterUser };
  return listPage<FoundUser, UserEntry>(limit, {
    read: (last, count) => {
      const seen = last ?? first;
      let query = selectUsers(rows).where((eb) =>
        eb(
          eb.refTuple("users.account_id", "users.user_id"),
          ">",
          eb.tuple(seen.account_id, seen.user_id),
        ),
      );
      if (scope !== undefined) query = query.where("users.account_id", "in", scope);
      if (account_id !== undefined) query = query.where("users.account_id", "=", account_id);
      return query.orderBy("users.account_id").orderBy("users.user_id").limit(count).execute();
    },
    toEntry: (row) => {
      const user = toEntry(row);
      return state === undefined || user.state === state ? user : undefined;
    },
  });
}

/** The users of any account whose ids begin so, by their ids. */
export async function findUsers(
  rows: Rows,
  prefix: string,
  count: number,
  scope: AccountScope,
): Promise<UserEntry[]> {
  let query = selectUsers(rows);
  if (scope !== undefined) query = query.where("users.account_id", "in", scope);
  const found = await query
    .where(matches("users.user_id", { prefix }))
    .orderBy("users.user_id")
    .orderBy("users.account_id")
    .limit(count)
    .execute();
  return found.map(toEntry);
}

/**
 * Stops a user, and counts what it stopped once that is committed: nothing below it can be made after that.
 *
 * Throws `invalid_request` with status 404 if the user is not known, unless that is asked for: it is then barred before it comes.
 */
export async function revokeUser(
  store: AuthorityStore,
  { account_id: accountId, user_id: userId, even_if_unknown = false }: RevokeUserBody,
  stamp: AuditStamp,
  scope: AccountScope,
): Promise<RevokedUserEntry> {
  const ids = { accountId, userId };
  checkPrincipalIds(ids);
  const { entry, wasActive } = await store.transaction(async (rows) => {
    if (!even_if_unknown || !isWithin(scope, accountId)) await checkKnown(rows, ids, scope);
    await insertAccount(rows, ids.accountId, stamp);
    await insertUser(rows, ids, stamp);
    const row = await lockUser(rows, ids).executeTakeFirstOrThrow();
    const wasActive = toEntry(row).state === "active";
    if (row.revoked_at === null) {
      await changeUser(rows, row, stamp.text, "user_revoked", stamp);
    }
    return { entry: toEntry(row), wasActive };
  });
  const stopped = wasActive ? await countBelow(store.rows, ids, stamp) : NOTHING_STOPPED;
  return { ...entry, stopped };
}

export function restoreUser(
  store: AuthorityStore,
  ids: PrincipalIds,
  stamp: AuditStamp,
  scope: AccountScope,
): Promise<UserEntry | undefined> {
  if (!isWithin(scope, ids.accountId)) return Promise.resolve(undefined);
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
