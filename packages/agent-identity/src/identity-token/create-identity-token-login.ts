import { formatTimestamp } from "@countersign/agent-key";
import type { StoredTokenLogin } from "../schema/credentials.js";
import { guardLogin } from "../store/guard-credentials.js";
import { type VerifyIdentityTokenOptions, verifyIdentityToken } from "./verify-identity-token.js";

/** Options of {@link createIdentityTokenLogin}. */
export interface IdentityTokenLoginOptions extends VerifyIdentityTokenOptions {
  /** Where `keySet` comes from, for later runs. Default: derived from `authority` by `keySetUrl`. */
  readonly keySetUrl?: string | undefined;
}

/**
 * Verifies an identity token and makes the login that `saveLogin` stores and `loginAuth` reads.
 *
 * The issuer, the audience and the URL of the key set are stored with it where they are not the usual ones, and the public key it was
 * verified with, so that a look at the agent takes no request.
 *
 * @throws as `verifyIdentityToken`
 */
export async function createIdentityTokenLogin(
  token: string,
  options: IdentityTokenLoginOptions,
): Promise<StoredTokenLogin> {
  const { issuer, audience, keySetUrl, now = Date.now } = options;
  const { identity, keys } = await verifyIdentityToken(token, options);
  return guardLogin<StoredTokenLogin>({
    authority: identity.authority,
    account_id: identity.accountId,
    user_id: identity.userId,
    kind: "agent",
    identity_token: token,
    ...(issuer === undefined ? {} : { issuer }),
    ...(audience === undefined ? {} : { audience }),
    ...(keySetUrl === undefined ? {} : { key_set_url: keySetUrl }),
    key_set: { keys: [...keys] },
    logged_in_at: formatTimestamp(now()),
  });
}
