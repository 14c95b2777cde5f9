import type { AgentAuth } from "../auth.js";
import {
  assertNotExpired,
  type IdentityTokenOptions,
  type VerifiedIdentityToken,
  verifyIdentityToken,
} from "./verify-identity-token.js";

interface Verified extends VerifiedIdentityToken {
  /** One object for each verification, so that a caller that compares objects sees that nothing changed. */
  readonly auth: AgentAuth;
}

interface Verification {
  readonly name: string;
  readonly promise: Promise<Verified>;
  verified: Verified | undefined;
}

/** Verifies a token once, for all who ask, and again when it becomes another one. Its end is looked at each time. */
export class VerifiedToken {
  #last: Verification | undefined;

  /** The agent of a token. A failed verification is not kept: the next call tries again. */
  async current(token: string, options: IdentityTokenOptions): Promise<AgentAuth> {
    const name = nameOf(token, options);
    const verification = this.#last?.name === name ? this.#last : this.#start(name, token, options);
    const { claims, auth } = await verification.promise;
    assertNotExpired(claims, options);
    return auth;
  }

  /** The agent of a token as far as that takes no request; `undefined`: its key is not known without. */
  async peek(token: string, options: IdentityTokenOptions): Promise<AgentAuth | undefined> {
    const known = this.#last?.name === nameOf(token, options) ? this.#last.verified : undefined;
    if (known !== undefined) {
      assertNotExpired(known.claims, options);
      return known.auth;
    }
    const { keySet } = options;
    let isUnknown = false;
    const peek = (kid: string) => keySet.peek(kid);
    const find = async (kid: string) => {
      const keys = peek(kid);
      isUnknown = keys.length === 0;
      return keys;
    };
    try {
      return (await verify(token, { ...options, keySet: { find, peek } })).auth;
    } catch (error) {
      if (isUnknown) return undefined;
      throw error;
    }
  }

  #start(name: string, token: string, options: IdentityTokenOptions): Verification {
    const verification: Verification = {
      name,
      promise: verify(token, options),
      verified: undefined,
    };
    this.#last = verification;
    verification.promise.then(
      (verified) => {
        verification.verified = verified;
      },
      () => {
        if (this.#last === verification) this.#last = undefined;
      },
    );
    return verification;
  }
}

async function verify(token: string, options: IdentityTokenOptions): Promise<Verified> {
  const verified = await verifyIdentityToken(token, options);
  return { ...verified, auth: { kind: "agent", identity: verified.identity } };
}

function nameOf(token: string, { authority, issuer, audience }: IdentityTokenOptions): string {
  return JSON.stringify([token, authority, issuer, audience]);
}
