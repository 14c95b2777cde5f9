import { StoreError } from "@countersign/agent-key";
import type { AgentAuth } from "../auth.js";
import type { LoginAuthOptions } from "../login-auth-options.js";
import type { StoredIdentityJwtLogin } from "../schema/credentials.js";
import type { KeySet } from "./key-set.js";
import { keySetUrl } from "./key-set-url.js";
import { pinnedKeySet } from "./pinned-key-set.js";
import { remoteKeySet } from "./remote-key-set.js";
import { VerifiedOnce } from "./verified-once.js";
import type { IdentityJwtOptions } from "./verify-identity-jwt.js";

/** Gives the agent of a stored login that is an identity JWT. */
export class LoginIdentityJwt {
  readonly #options: LoginAuthOptions;
  readonly #verified = new VerifiedOnce();
  readonly #keySets = new Map<string, KeySet>();

  constructor(options: LoginAuthOptions) {
    this.#options = options;
  }

  /** Verified against the key set, once for each login. */
  async current(login: StoredIdentityJwtLogin): Promise<AgentAuth> {
    const options = this.#optionsOf(login);
    return assertOfLogin(await this.#verified.current(login.identity_token, options), login);
  }

  /** Without a request: verified before, or against the keys that were stored at the login; `undefined`: there are none. */
  async peek(login: StoredIdentityJwtLogin): Promise<AgentAuth | undefined> {
    const options = this.#optionsOf(login);
    const auth =
      (await this.#verified.peek(login.identity_token, options)) ??
      (await this.#peekStored(login, options));
    return auth === undefined ? undefined : assertOfLogin(auth, login);
  }

  async #peekStored(
    login: StoredIdentityJwtLogin,
    options: IdentityJwtOptions,
  ): Promise<AgentAuth | undefined> {
    if (login.key_set === undefined || login.key_set.keys.length === 0) return undefined;
    const keySet = pinnedKeySet(login.key_set);
    return await new VerifiedOnce().peek(login.identity_token, { ...options, keySet });
  }

  #optionsOf(login: StoredIdentityJwtLogin): IdentityJwtOptions {
    const { authority, issuer, audience } = login;
    const keySet = this.#options.keySet ?? this.#keySetOf(login);
    return { ...this.#options, authority, issuer, audience, keySet };
  }

  #keySetOf(login: StoredIdentityJwtLogin): KeySet {
    const { insecureHttp, fetch, now } = this.#options;
    const url = login.key_set_url ?? keySetUrl(login.authority, { insecureHttp });
    const keySet = this.#keySets.get(url) ?? remoteKeySet(url, { insecureHttp, fetch, now });
    this.#keySets.set(url, keySet);
    return keySet;
  }
}

// The rest of the login is what a person is shown, and what other programs go by.
function assertOfLogin(auth: AgentAuth, login: StoredIdentityJwtLogin): AgentAuth {
  const { accountId, userId } = auth.identity;
  if (accountId === login.account_id && userId === login.user_id) return auth;
  throw new StoreError(
    "store_corrupt",
    "the stored identity JWT is for another account or user than its login says",
    { hint: "restore it from a backup, or log in again with the identity JWT that you were given" },
  );
}
