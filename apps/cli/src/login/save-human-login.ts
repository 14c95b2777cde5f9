import { type CredentialStore, saveLogin } from "@countersign/agent-identity";
import type { Run } from "../config/run.js";
import type { TokenClaims } from "../home/token-claims.js";

/** What a human is logged in with. */
export interface HumanLogin extends TokenClaims {
  readonly store: CredentialStore;
  /** Normalised. */
  readonly authority: string;
  readonly proof: "bearer" | "biscuit";
  /** How long its agent is to live if the login is for one job. */
  readonly ephemeralSeconds: number | undefined;
  /** Secret. */
  readonly token: string;
}

/**
 * Stores a human's token, and prints its account and user. Warns if the home has an agent of this human already that is not of the wanted kind:
 * that one stays in use.
 */
export async function saveHumanLogin(run: Run, login: HumanLogin): Promise<void> {
  const { store, authority, accountId, userId, proof, token, ephemeralSeconds } = login;
  const kept = {
    authority,
    account_id: accountId,
    user_id: userId,
    kind: "human",
    proof,
    access_token: token,
    ...(ephemeralSeconds === undefined ? {} : { ephemeral_seconds: ephemeralSeconds }),
    logged_in_at: new Date().toISOString().replace(/\.\d+Z$/, "Z"),
  } as const;
  await saveLogin(store, kept, run.http);
  const lasting = await findLastingAgent(login);
  if (ephemeralSeconds !== undefined && lasting !== undefined) {
    run.output.warn(
      `this home has a lasting agent of ${userId}, ${lasting}, which stays in use: give each job a home of its own (COUNTERSIGN_HOME)`,
    );
  }
  const value = { authority, account_id: accountId, user_id: userId, proof };
  const isLasting = ephemeralSeconds === undefined;
  run.output.result(
    isLasting ? value : { ...value, ephemeral_seconds: ephemeralSeconds },
    () =>
      `logged in with ${authority} as ${userId} of ${accountId}${isLasting ? "" : `, with an ephemeral agent of ${ephemeralSeconds} s`}`,
  );
}

async function findLastingAgent(login: HumanLogin): Promise<string | undefined> {
  const { identities } = await login.store.load();
  const own = identities.find(
    (entry) =>
      entry.authority === login.authority &&
      entry.account_id === login.accountId &&
      entry.user_id === login.userId,
  );
  return own?.ephemeral === true ? undefined : own?.agent_runtime_id;
}
