import type { AgentIdentity } from "./agent-identity.js";
import { AgentIdentityError } from "./agent-identity-error.js";
import type { Auth, AuthSource, HumanAuth } from "./auth.js";
import type { CredentialStore, Credentials } from "./credential-store.js";
import { findEntry, type IdentityOwner, isSameOwner, toIdentityOwner } from "./identity-owner.js";
import type { KnownIdentities } from "./known-identities.js";
import { readerOf } from "./login-reader.js";
import { isFrozenCredentials } from "./store/frozen-credentials.js";

/** Who is at work at one moment. */
export interface IdentityLook {
  /** The login; `undefined`: there is no login. */
  readonly auth: Auth | undefined;
  /** The agent of that login; `undefined`: none is registered yet. */
  readonly identity: AgentIdentity | undefined;
}

/** The answer while there is no login, or the feature is off. */
export const NO_LOGIN: IdentityLook = Object.freeze({ auth: undefined, identity: undefined });

/** What {@link IdentityLooks} looks at. */
export interface IdentityLooksOptions {
  /** Normalised. */
  readonly authority: string;
  readonly auth: AuthSource;
  readonly store: CredentialStore;
  readonly known: KnownIdentities;
}

interface LastLook {
  /** Frozen, so that the same content gives the same identity. */
  readonly credentials: Credentials;
  readonly owner: IdentityOwner;
  readonly look: IdentityLook;
}

/** Finds the login and its agent by one load of the store, or by none. */
export class IdentityLooks {
  readonly #options: IdentityLooksOptions;
  #last: LastLook | undefined;

  constructor(options: IdentityLooksOptions) {
    this.#options = options;
  }

  /**
   * The login of this moment and its agent.
   *
   * @param how - `peek`: without a request, as `AuthSource.peek`
   * @throws as the auth source; {@link StoreError} as the store, `store_corrupt` for a login or an identity that cannot be read
   */
  async look(how: "current" | "peek"): Promise<IdentityLook> {
    const { auth: source, store } = this.#options;
    const ask = how === "peek" ? (source.peek ?? source.current) : source.current;
    const reader = readerOf(ask);
    if (reader?.store === store) {
      // The login and its agent of one content: another process changes both or neither.
      const credentials = await store.load();
      const auth = await reader.authOf(credentials);
      return auth?.kind === "human" ? this.#ofHuman(auth, credentials) : this.#ofAgent(auth);
    }
    const auth = await ask.call(source);
    return auth?.kind === "human" ? this.#ofHuman(auth, await store.load()) : this.#ofAgent(auth);
  }

  #ofAgent(auth: Exclude<Auth, HumanAuth> | undefined): IdentityLook {
    // It holds the token and the keys of a login that has ended.
    this.#last = undefined;
    if (auth === undefined) return NO_LOGIN;
    return { auth, identity: ownIdentity(auth.identity, this.#options.authority) };
  }

  #ofHuman(auth: HumanAuth, credentials: Credentials): IdentityLook {
    const { authority, store, known } = this.#options;
    const last = this.#last;
    const { accountId, userId } = auth;
    if (
      last?.credentials === credentials &&
      isSameOwner(last.owner, { authority, accountId, userId })
    ) {
      return last.look.auth === auth ? last.look : { auth, identity: last.look.identity };
    }
    const owner = toIdentityOwner(authority, auth);
    const entry = findEntry(credentials, owner, store);
    const look = { auth, identity: entry === undefined ? undefined : known.of(entry) };
    this.#last = isFrozenCredentials(credentials) ? { credentials, owner, look } : undefined;
    return look;
  }
}

/**
 * An agent that came with its key, if it is this authority's.
 *
 * @throws {AgentIdentityError} `config_invalid` if it is another one's
 */
export function ownIdentity(identity: AgentIdentity, authority: string): AgentIdentity {
  // A key is used with the authority it was made for and no other (docs/protocol.md §4).
  if (identity.authority === authority) return identity;
  throw new AgentIdentityError("config_invalid", "the agent belongs to another authority", {
    hint: `use it with ${identity.authority}`,
  });
}
