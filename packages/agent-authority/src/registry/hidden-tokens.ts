import type { Rows } from "../store/authority-store.js";
import type { AccountScope } from "./account-scope.js";
import { standingOfTokens } from "./operate-access-tokens.js";

// An actor of the audit log that is a token.
const ACTOR = /^(admin|token):(.+)$/;
// A reporter of uses that is a token, with its name before it if it has one.
const REPORTER = /^(?:.+ \()?token:([^()]+)\)?$/;

/** The id of the token that an actor of the audit log is; `undefined` if it is not a token. */
export function tokenOfActor(actor: string | null): string | undefined {
  return actor === null ? undefined : ACTOR.exec(actor)?.[2];
}

/** What an actor of the audit log is called where its token is not named: `admin` or `token`. */
export function unnamedActor(actor: string): string {
  return actor.replace(ACTOR, "$1");
}

/** Leaves out of entries which token reported their last use, where that token is for accounts outside of a scope as well. */
export async function hideReporters<Entry extends { readonly last_used_reported_by?: string }>(
  rows: Rows,
  entries: readonly Entry[],
  scope: AccountScope,
): Promise<Entry[]> {
  if (scope === undefined) return [...entries];
  const reporterOf = ({ last_used_reported_by: by }: Entry) => REPORTER.exec(by ?? "")?.[1];
  const ids = entries.flatMap((entry) => reporterOf(entry) ?? []);
  const standing = await standingOfTokens(rows, ids, scope);
  return entries.map((entry) => {
    const id = reporterOf(entry);
    const isShown = id === undefined || standing.get(id)?.isNamed === true;
    return isShown ? entry : { ...entry, last_used_reported_by: "token" };
  });
}
