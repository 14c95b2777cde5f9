import { formatTimestamp } from "@countersign/agent-key";
import type { StoredIdentityJwtLogin } from "../schema/credentials.js";
import { guardLogin } from "../store/guard-credentials.js";
import { type VerifyIdentityJwtOptions, verifyIdentityJwt } from "./verify-identity-jwt.js";

/** Options of {@link createIdentityJwtLogin}. */
export interface IdentityJwtLoginOptions extends VerifyIdentityJwtOptions {
  /** Where `keySet` comes from, for later runs. Default: derived from `authority` by `keySetUrl`. */
  readonly keySetUrl?: string | undefined;
}

/**
 * Verifies an identity JWT and makes the login that `saveLogin` stores and `loginAuth` reads.
 *
 * The issuer, the audience and the URL of the key set are stored with it where they are not the usual ones, and the public key it was
 * verified with, so that a look at the agent takes no request.
 *
 * @throws as `verifyIdentityJwt`
 */
export async function createIdentityJwtLogin(
  token: string,
  options: IdentityJwtLoginOptions,
): Promise<StoredIdentityJwtLogin> {
  const { issuer, audience, keySetUrl, now = Date.now } = options;
  const { identity, keys } = await verifyIdentityJwt(token, options);
  return guardLogin<StoredIdentityJwtLogin>({
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
