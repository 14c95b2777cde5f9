import { type CredentialStore, saveLogin } from "@countersign/agent-identity";
import type { Run } from "../config/run.js";
import type { TokenClaims } from "../home/token-claims.js";

/** What a human is logged in with. */
export interface HumanLogin extends TokenClaims {
  readonly store: CredentialStore;
  /** Normalised. */
  readonly authority: string;
  readonly proof: "bearer" | "biscuit";
  /** Secret. */
  readonly token: string;
}

/** Stores a human's token, and prints its account and user. */
export async function saveHumanLogin(run: Run, login: HumanLogin): Promise<void> {
  const { store, authority, accountId, userId, proof, token } = login;
  const kept = {
    authority,
    account_id: accountId,
    user_id: userId,
    kind: "human",
    proof,
    access_token: token,
    logged_in_at: new Date().toISOString().replace(/\.\d+Z$/, "Z"),
  } as const;
  await saveLogin(store, kept, run.http);
  run.output.result(
    { authority, account_id: accountId, user_id: userId, proof },
    () => `logged in with ${authority} as ${userId} of ${accountId}`,
  );
}
