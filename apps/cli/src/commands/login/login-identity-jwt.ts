import { type CredentialStore, loginAuth, saveLogin } from "@countersign/agent-identity";
import { createIdentityJwtLogin } from "@countersign/agent-identity/identity-jwt";
import type { Run } from "../../config/run.js";
import { readIdentityJwt } from "../../home/secrets.js";
import { openKeySet } from "../../options/key-set-option.js";
import { withProgress } from "../../text/progress.js";

/** What an identity JWT is logged in with. */
export interface IdentityJwtLoginTarget {
  readonly store: CredentialStore;
  /** Normalised. */
  readonly authority: string;
  /** `--key-set`. */
  readonly keySet: string | undefined;
}

/** `login --identity-jwt-stdin`: verifies the token against its issuer's keys and keeps it; the agent in it is the login. */
export async function loginByIdentityJwt(
  run: Run,
  { store, authority, keySet: option }: IdentityJwtLoginTarget,
): Promise<void> {
  const { keySet, origin, stored } = await openKeySet(run, option, authority);
  const token = await readIdentityJwt(run.environment, process.stdin);
  const state =
    origin === undefined
      ? "checking the identity JWT"
      : `asking ${origin} for the keys of the identity JWT`;
  const login = await withProgress(run.output, state, () =>
    createIdentityJwtLogin(token, { authority, keySet, signal: run.signal, ...run.http }),
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
