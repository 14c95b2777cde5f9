import { saveLogin } from "@countersign/agent-identity";
import { resolveAuthority } from "../authority-option.js";
import { usageError } from "../cli-error.js";
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
  return await withProgress(run.output, `asking ${authority} whose token this is`, () =>
    client.whoami(token, { signal: run.signal }),
  );
}
