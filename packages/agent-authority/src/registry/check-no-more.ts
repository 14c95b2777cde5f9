import { isWithin } from "./account-scope.js";
import { Refusal } from "./refusal.js";
import type { TokenRights } from "./token-rights.js";

/**
 * Makes sure that a token that is made gives no more rights than the one that makes it, whose role and scope allow tokens of every role. How
 * long either lives is not compared.
 *
 * Throws `forbidden`.
 *
 * @param own - of the token that makes it; `undefined` for an operator on the database itself
 * @param accountId - whose the new token is
 */
export function checkNoMore(
  own: TokenRights | undefined,
  { role, scopes, accounts }: TokenRights,
  accountId: string,
): void {
  if (own === undefined) return;
  if (!scopes.every((scope) => own.scopes.includes(scope))) throw more();
  checkAccount(own, accountId);
  // A human's token is for its own account alone.
  if (own.accounts === undefined || role === "human") return;
  if (accounts?.every((account) => isWithin(own.accounts, account)) !== true) throw more();
}

/** Makes sure that a token may make something in an account. Throws `forbidden`, whether there is that account or not. */
export function checkAccount(own: TokenRights | undefined, accountId: string): void {
  if (isWithin(own?.accounts, accountId)) return;
  throw new Refusal("forbidden", "this token is not for that account", {
    hint: "name one of its own accounts, or work on the database",
  });
}

function more(): Refusal {
  return new Refusal("forbidden", "a token makes none that may do more than itself", {
    hint: "ask for fewer rights, name its own accounts, or work on the database",
  });
}
