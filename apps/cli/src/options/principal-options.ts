import { isPrincipalId } from "@countersign/agent-key";
import { usageError } from "../text/cli-error.js";

/**
 * Checks the ids behind `--account`, or another option of accounts, and `--user`.
 *
 * @throws {CliError} `usage` when one cannot be such an id (docs/protocol.md §3)
 */
export function checkPrincipals(
  accountIds: readonly string[],
  userIds: readonly string[],
  accountOption = "--account",
): void {
  const hint = "1 to 256 printable ASCII characters without space, quote, comma and backslash";
  if (!accountIds.every(isPrincipalId)) {
    throw usageError(`${accountOption} cannot be an account's id`, hint);
  }
  if (!userIds.every(isPrincipalId)) throw usageError("--user cannot be a user's id", hint);
}

/** The options that name a human. */
export interface HumanOptions {
  readonly account?: string;
  readonly user?: string;
}

/**
 * Gives the human that `--account` and `--user` name.
 *
 * @returns `undefined` when neither is there
 * @throws {CliError} `usage` when one is missing or cannot be such an id
 */
export function namedHuman({
  account,
  user,
}: HumanOptions): { readonly accountId: string; readonly userId: string } | undefined {
  if (account === undefined && user === undefined) return undefined;
  if (account === undefined || user === undefined) {
    throw usageError("--account and --user belong together", "give both, or none of them");
  }
  checkPrincipals([account], [user]);
  return { accountId: account, userId: user };
}
