import { type CredentialStore, loginAuth, saveLogin } from "@countersign/agent-identity";
import { createIdentityTokenLogin } from "@countersign/agent-identity/identity-token";
import type { Run } from "../../config/run.js";
import { readIdentityToken } from "../../home/secrets.js";
import { openKeySet } from "../../options/key-set-option.js";
import { withProgress } from "../../text/progress.js";

/** What an identity token is logged in with. */
export interface IdentityTokenLoginTarget {
  readonly store: CredentialStore;
  /** Normalised. */
  readonly authority: string;
  /** `--key-set`. */
  readonly keySet: string | undefined;
}

/** `login --identity-token-stdin`: verifies the token against its issuer's keys and keeps it; the agent in it is the login. */
export async function loginByIdentityToken(
  run: Run,
  { store, authority, keySet: option }: IdentityTokenLoginTarget,
): Promise<void> {
  const { keySet, origin, stored } = await openKeySet(run, option, authority);
  const token = await readIdentityToken(run.environment, process.stdin);
  const state =
    origin === undefined
      ? "checking the identity token"
      : `asking ${origin} for the keys of the identity token`;
  const login = await withProgress(run.output, state, () =>
    createIdentityTokenLogin(token, { authority, keySet, signal: run.signal, ...run.http }),
  );
  await saveLogin(store, { ...login, ...stored }, run.http);
  const auth = await loginAuth(store, authority, { ...run.http, keySet }).current();
  const agent = auth?.kind === "agent" ? auth.identity.agentRuntimeId : null;
  const { account_id, user_id } = login;
  run.output.result(
    { authority, account_id, user_id, agent_runtime_id: agent },
    () => `logged in with ${authority} as the agent ${agent} of ${user_id} of ${account_id}`,
  );
}
