import type { AgentAuth } from "../auth.js";
import {
  assertNotExpired,
  type IdentityJwtOptions,
  type VerifiedIdentityJwt,
  verifyIdentityJwt,
} from "./verify-identity-jwt.js";

interface Verified extends VerifiedIdentityJwt {
  /** One object for each verification, so that a caller that compares objects sees that nothing changed. */
  readonly auth: AgentAuth;
}

interface Verification {
  readonly name: string;
  readonly promise: Promise<Verified>;
  verified: Verified | undefined;
}

/** Verifies an identity JWT once for all callers, and again if it becomes another one. Its end is checked each time. */
export class VerifiedOnce {
  #last: Verification | undefined;

  /** The agent of an identity JWT. A failed verification is not kept: the next call tries again. */
  async current(token: string, options: IdentityJwtOptions): Promise<AgentAuth> {
    const name = nameOf(token, options);
    const verification = this.#last?.name === name ? this.#last : this.#start(name, token, options);
    const { claims, auth } = await verification.promise;
    assertNotExpired(claims, options);
    return auth;
  }

  /** The agent of an identity JWT as far as that takes no request; `undefined`: its key is not known without. */
  async peek(token: string, options: IdentityJwtOptions): Promise<AgentAuth | undefined> {
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

  #start(name: string, token: string, options: IdentityJwtOptions): Verification {
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

async function verify(token: string, options: IdentityJwtOptions): Promise<Verified> {
  const verified = await verifyIdentityJwt(token, options);
  return { ...verified, auth: { kind: "agent", identity: verified.identity } };
}

function nameOf(token: string, { authority, issuer, audience }: IdentityJwtOptions): string {
  return JSON.stringify([token, authority, issuer, audience]);
}
