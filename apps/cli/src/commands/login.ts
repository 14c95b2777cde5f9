import { AuthorityError, saveLogin } from "@countersign/agent-identity";
import { CountersignError } from "@countersign/agent-key";
import { resolveAuthority } from "../authority-option.js";
import { CliError, usageError } from "../cli-error.js";
import { openCredentialStore } from "../credential-store-option.js";
import { type HumanOptions, namedHuman } from "../principal-options.js";
import { withProgress } from "../progress.js";
import type { Run } from "../run.js";
import { readAccessToken } from "../secrets.js";
import { readTokenClaims, type TokenClaims } from "../token-claims.js";
import { loginByIdentityToken } from "./login-identity-token.js";

/** Options of `login`. */
export interface LoginOptions extends HumanOptions {
  readonly authority?: string;
  readonly proof?: "bearer" | "biscuit";
  readonly tokenStdin?: boolean;
  readonly identityTokenStdin?: boolean;
  readonly keySet?: string;
}

/** `login`. */
export async function login(run: Run, options: LoginOptions): Promise<void> {
  const byIdentityToken = options.identityTokenStdin === true;
  if (byIdentityToken) refuseHumanOptions(options);
  else if (options.keySet !== undefined) {
    throw usageError("--key-set is for identity tokens alone", "add --identity-token-stdin");
  }
  const named = namedHuman(options);
  const store = await openCredentialStore(run);
  const stored = await store.load();
  const authority = await resolveAuthority(run, options.authority, stored.login?.authority);
  if (byIdentityToken) {
    await loginByIdentityToken(run, { store, authority, keySet: options.keySet });
    return;
  }
  const { proof = "bearer" } = options;
  const token = await readAccessToken(run.environment, options.tokenStdin === true, process.stdin);
  const { accountId, userId } =
    named ?? readTokenClaims(token) ?? (await askAuthority(run, authority, token));
  const login = {
    authority,
    account_id: accountId,
    user_id: userId,
    kind: "human",
    proof,
    access_token: token,
    logged_in_at: new Date().toISOString().replace(/\.\d+Z$/, "Z"),
  } as const;
  await saveLogin(store, login, run.http);
  run.output.result(
    { authority, account_id: accountId, user_id: userId, proof },
    () => `logged in with ${authority} as ${userId} of ${accountId}`,
  );
}

function refuseHumanOptions({ account, user, proof, tokenStdin }: LoginOptions): void {
  const named = Object.entries({
    "--account": account,
    "--user": user,
    "--proof": proof,
    "--token-stdin": tokenStdin,
  }).find(([, value]) => value !== undefined);
  if (named === undefined) return;
  throw usageError(
    `${named[0]} and --identity-token-stdin exclude each other`,
    "an identity token says itself whose agent it is",
  );
}

async function askAuthority(run: Run, authority: string, token: string): Promise<TokenClaims> {
  const { AuthorityClient } = await import("@countersign/agent-identity/authority-client");
  const client = new AuthorityClient({ authority, ...run.http });
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
