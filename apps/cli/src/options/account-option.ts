import { isLoopbackHost } from "@countersign/agent-key";
import { usageError } from "../text/cli-error.js";
import { checkPrincipals } from "./principal-options.js";

/** The options of servers that say whose agents they serve. */
export interface AccountOptions {
  readonly account?: readonly string[] | undefined;
  readonly anyAccount?: boolean | undefined;
}

/**
 * Reads `--account` and `--any-account`. Every client of a listener on loopback is on this machine. For clients from elsewhere the operator
 * must choose the accounts.
 *
 * @param host - where the server listens for its clients; `undefined`: they come through another gateway
 * @throws {CliError} `usage` for both, for an account that is not valid, and for neither where clients may be on other machines
 */
export function accountsOf(
  { account = [], anyAccount = false }: AccountOptions,
  host: string | undefined,
): readonly string[] | "any" {
  if (account.length > 0 && anyAccount) {
    throw usageError("--account and --any-account exclude each other");
  }
  checkPrincipals(account, []);
  if (account.length > 0) return account;
  if (anyAccount || (host !== undefined && isLoopbackHost(host))) return "any";
  throw usageError(
    host === undefined
      ? "no account may call: the authorizer admits only the accounts that it is given"
      : "a gateway whose clients may be on other machines needs the accounts that it serves",
    "add --account ID for each account, or --any-account",
  );
}
