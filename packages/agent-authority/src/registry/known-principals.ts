import type { Rows } from "../store/authority-store.js";
import type { AccountScope } from "./account-scope.js";
import type { PrincipalIds } from "./principals.js";
import { Refusal } from "./refusal.js";

const MAX_NAMES = 3;

/**
 * Makes sure that an account or a user is known: it has a token or an agent, or was revoked before.
 *
 * Throws `invalid_request` with status 404 and the known names next to it.
 *
 * @param ids - without a user: the account
 * @param scope - what is outside of it is not known, and its name is not told
 */
export async function checkKnown(
  rows: Rows,
  { accountId, userId }: Pick<PrincipalIds, "accountId"> & Partial<PrincipalIds>,
  scope: AccountScope,
): Promise<void> {
  const name = userId ?? accountId;
  const names = new Set<string>();
  for (const table of [userId === undefined ? "accounts" : "users", "access_tokens"] as const) {
    for (const side of ["=", "<", ">"] as const) {
      const found = await nameBeside(rows, { table, side, accountId, userId }, scope);
      if (found === name) return;
      if (found !== undefined) names.add(found);
    }
  }
  const near = [...names]
    .filter((other) => commonStart(other, name) * 2 >= name.length)
    .sort((a, b) => commonStart(b, name) - commonStart(a, name))
    .slice(0, MAX_NAMES);
  const what = userId === undefined ? `account ${accountId}` : `user ${userId} in ${accountId}`;
  throw new Refusal("invalid_request", `the authority knows no ${what}`, {
    status: 404,
    hint: `${near.length === 0 ? "" : `known names next to it: ${near.join(", ")}; `}to revoke one that never came, set even_if_unknown`,
  });
}

interface Place {
  readonly table: "accounts" | "users" | "access_tokens";
  readonly side: "=" | "<" | ">";
  readonly accountId: string;
  readonly userId: string | undefined;
}

// The next name in the order of the index, one row: many tokens may have the same one. What is outside of the scope is passed over: if it stood
// before the names within, what is not told would tell where it is.
async function nameBeside(
  rows: Rows,
  place: Place,
  scope: AccountScope,
): Promise<string | undefined> {
  const { table, side, accountId, userId } = place;
  const column = userId === undefined ? "account_id" : "user_id";
  // Of these tables only two columns are read, which the tokens have as well.
  let query = rows
    .selectFrom(table as "access_tokens")
    .select(column)
    .where(column, side, userId ?? accountId);
  if (scope !== undefined) query = query.where("account_id", "in", scope);
  if (userId !== undefined) query = query.where("account_id", "=", accountId);
  const [found] = await query
    .orderBy(column, side === "<" ? "desc" : "asc")
    .limit(1)
    .execute();
  return found && Object.values(found)[0];
}

function commonStart(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length += 1;
  return length;
}
