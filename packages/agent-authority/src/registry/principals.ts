import type { Principal } from "../humans/principal.js";
import type { Rows } from "../store/authority-store.js";
import { Refusal } from "./refusal.js";
import type { Instant } from "./times.js";

/** Whose something is. */
export type PrincipalIds = Pick<Principal, "accountId" | "userId">;

/**
 * Makes sure that the rows of an account and its user are there, and locks the user's until the transaction ends: what depends on the user
 * as a whole, such as the number of its agents, is then looked at by one transaction at a time.
 *
 * Throws `forbidden` when either was revoked.
 */
export async function lockPrincipal(
  rows: Rows,
  { accountId, userId }: PrincipalIds,
  instant: Instant,
): Promise<void> {
  const created = { account_id: accountId, created_at: instant.text, revoked_at: null };
  await rows
    .insertInto("accounts")
    .values(created)
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  await rows
    .insertInto("users")
    .values({ ...created, user_id: userId })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  const found = await rows
    .selectFrom("users")
    .innerJoin("accounts", "accounts.account_id", "users.account_id")
    .select(["users.revoked_at as user_revoked_at", "accounts.revoked_at as account_revoked_at"])
    .where("users.account_id", "=", accountId)
    .where("users.user_id", "=", userId)
    .forNoKeyUpdate(["users"])
    .executeTakeFirstOrThrow();
  if (found.account_revoked_at !== null) throw revoked("account");
  if (found.user_revoked_at !== null) throw revoked("user");
}

function revoked(what: string): Refusal {
  return new Refusal("forbidden", `this ${what} was revoked`, { hint: "its operator decides" });
}
