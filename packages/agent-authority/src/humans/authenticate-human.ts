import { isSecretOf } from "../registry/access-token.js";
import { authenticate } from "../registry/authenticate.js";
import type { Principal } from "../registry/principal.js";
import { checkPrincipal } from "../registry/principals.js";
import type { Instant } from "../registry/times.js";
import type { AuthorityStore } from "../store/authority-store.js";
import type { HumanIssuer } from "./human-issuer.js";
import { MAX_TOKEN_CHARACTERS, peekIssuer } from "./peek-issuer.js";
import { refuseLength, refuseToken } from "./token-refusal.js";

/** What a human's token is held against. */
export interface HumanSources {
  readonly store: AuthorityStore;
  readonly humans: readonly HumanIssuer[];
}

/**
 * Finds out whose token this is: one of the authority's own access tokens of role `human`, or of an issuer that it knows.
 *
 * Throws `unauthenticated`; `forbidden` when the user or account was revoked; `unreachable` when an issuer that could tell does not answer.
 */
export async function authenticateHuman(
  { store, humans }: HumanSources,
  token: string | undefined,
  instant: Instant,
): Promise<Principal> {
  if (token !== undefined && !isSecretOf("human", token) && humans.length > 0) {
    for (const issuer of humans) {
      const principal = await issuer.authenticate(token, instant.epochMs);
      if (principal === undefined) continue;
      const found = { ...principal, accessTokenId: undefined };
      await checkPrincipal(store.rows, found);
      return found;
    }
    if (token.length > MAX_TOKEN_CHARACTERS) throw refuseLength("?", token);
    const named = peekIssuer(token);
    if (named !== undefined) {
      const expected = humans.map(({ issuer }) => issuer).join(" or ");
      throw refuseToken("?", "issuer", { claim: "iss", seen: named, expected });
    }
  }
  return authenticate(store, token, "human", instant);
}
