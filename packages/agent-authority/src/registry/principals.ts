import { isPrincipalId } from "@countersign/agent-key";
import { AgentAuthorityError } from "../agent-authority-error.js";
import type { Rows } from "../store/authority-store.js";
import { prepareQuery } from "../store/prepared-query.js";
import type { Principal } from "./principal.js";
import { Refusal } from "./refusal.js";
import type { Instant } from "./times.js";

/** Whose something is. */
export type PrincipalIds = Pick<Principal, "accountId" | "userId">;

const selectRevocations = prepareQuery((rows, value: PrincipalIds) =>
  rows.selectNoFrom((eb) => [
    eb
      .selectFrom("accounts")
      .select("revoked_at")
      .where("account_id", "=", value.accountId)
      .as("account"),
    eb
      .selectFrom("users")
      .select("revoked_at")
      .where("account_id", "=", value.accountId)
      .where("user_id", "=", value.userId)
      .as("user"),
  ]),
);

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
  await insertAccount(rows, accountId, instant);
  await insertUser(rows, { accountId, userId }, instant);
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

/** Throws `forbidden` when the user or the account was revoked, without a lock. One that was never heard of was not. */
export async function checkPrincipal(rows: Rows, principal: Principal): Promise<void> {
  const { accountId, userId } = principal;
  const [found] = await selectRevocations(rows, { accountId, userId });
  if (found === undefined || found.account !== null) throw revoked("account", principal);
  if (found.user !== null) throw revoked("user", principal);
}

/** Makes the row of an account where there is none. */
export async function insertAccount(
  rows: Rows,
  accountId: string,
  instant: Instant,
): Promise<void> {
  await rows
    .insertInto("accounts")
    .values({ account_id: accountId, created_at: instant.text, revoked_at: null })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** Makes the row of a user where there is none. */
export async function insertUser(
  rows: Rows,
  { accountId, userId }: PrincipalIds,
  instant: Instant,
): Promise<void> {
  await rows
    .insertInto("users")
    .values({
      account_id: accountId,
      user_id: userId,
      created_at: instant.text,
      revoked_at: null,
    })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** Checks ids that an operator gave. Throws `invalid_request`. */
export function checkPrincipalIds({ accountId, userId }: Partial<PrincipalIds>): void {
  if (accountId !== undefined && !isPrincipalId(accountId)) throw invalid("the account id");
  if (userId !== undefined && !isPrincipalId(userId)) throw invalid("the user id");
}

function invalid(what: string): AgentAuthorityError {
  return new AgentAuthorityError("invalid_request", `${what} is not allowed`, {
    hint: 'use 1 to 256 printable ASCII characters without space, ", comma and backslash',
  });
}

function revoked(what: string, principal?: Principal): Refusal {
  return new Refusal("forbidden", `this ${what} was revoked`, {
    principal,
    hint: "its operator decides",
  });
}
