import { AgentIdentityManager, fixedAuth } from "@countersign/agent-identity";
import { requireAuthority } from "../authority-option.js";
import { CliError } from "../cli-error.js";
import { openCredentialStore } from "../credential-store-option.js";
import { parseUnsentBaseUrl } from "../http-url.js";
import { type HumanOptions, namedHuman } from "../principal-options.js";
import type { Run } from "../run.js";

/** Options of `identity forget`. */
export interface ForgetIdentityOptions extends HumanOptions {
  readonly authority?: string;
}

/** `identity forget`: removes the stored identity of one user in one account, readable or not. */
export async function forgetIdentity(run: Run, options: ForgetIdentityOptions): Promise<void> {
  const named = namedHuman(options);
  const store = await openCredentialStore(run);
  const { login } = await store.load();
  // Nothing is sent, so that any kind of http is as good as another.
  const http = { insecureHttp: true };
  const wanted = await requireAuthority(run, options.authority, login?.authority);
  const authority = parseUnsentBaseUrl(wanted);
  const human =
    named ??
    (login?.authority === authority
      ? { accountId: login.account_id, userId: login.user_id }
      : undefined);
  if (human === undefined) {
    throw new CliError("not_logged_in", `nobody is logged in with ${authority}`, {
      hint: "name the identity with --account and --user: countersign identity list",
    });
  }
  const identities = new AgentIdentityManager({
    authority,
    // Only tells whose identity it is.
    auth: fixedAuth({ kind: "human", ...human, accessToken: "" }),
    store,
    features: await run.features(),
    ...http,
  });
  const forgotten = await identities.forget();
  await identities.close();
  const { accountId, userId } = human;
  run.output.result({ authority, account_id: accountId, user_id: userId, forgotten }, () =>
    forgotten
      ? `forgot the agent of ${userId} of ${accountId}; ${authority} keeps it until it is revoked there`
      : `${userId} of ${accountId} has no stored agent with ${authority}`,
  );
}
