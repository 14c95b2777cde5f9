/**
 * The accounts that a token is for; `undefined` for all. To the token, what belongs to any other account is as if it did not exist.
 */
export type AccountScope = readonly string[] | undefined;

/** Returns whether something of this account is within a scope. What belongs to no account is within the scope of all accounts alone. */
export function isWithin(scope: AccountScope, accountId: string | null): boolean {
  return scope === undefined || (accountId !== null && scope.includes(accountId));
}
