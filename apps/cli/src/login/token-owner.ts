import { AuthorityError } from "@countersign/agent-identity";
import { CountersignError } from "@countersign/agent-key";
import type { Run } from "../config/run.js";
import type { TokenClaims } from "../home/token-claims.js";
import { CliError } from "../text/cli-error.js";
import { withProgress } from "../text/progress.js";

/**
 * Asks an authority whose token this is.
 *
 * @throws {CliError} if the server that answers is not an authority
 * @throws {AuthorityError} if the authority cannot be reached, or refuses the token
 */
export async function askTokenOwner(
  run: Run,
  authority: string,
  token: string,
): Promise<TokenClaims> {
  const { AuthorityClient } = await import("@countersign/agent-identity/authority-client");
  const client = new AuthorityClient({ authority, ...run.asking });
  const state = `asking ${authority} whose token this is`;
  try {
    return await withProgress(run.output, state, () =>
      client.whoami(token, { signal: run.signal }),
    );
  } catch (error) {
    throw CountersignError.is(error) ? noAuthorityError(authority, error) : error;
  }
}

// An answer that no authority gives: most likely the address is another server's.
function noAuthorityError(authority: string, error: CountersignError): CountersignError {
  const isAnswer = error.code === "bad_response" || error.code === "invalid_request";
  if (!isAnswer) return error;
  // What the authority client says of the exchange is for people; what a schema says of the answer is not.
  const what = AuthorityError.is(error) ? error.message : "its answer names no account and user";
  return new CliError(error.code, `${authority} does not answer as an authority: ${what}`, {
    cause: error,
    hint: "check --authority; an authority that does not tell whose token it is needs --account and --user",
  });
}
