import { AgentIdentityError } from "../agent-identity-error.js";
import { parseKeySet } from "../schema/key-set.js";
import type { KeySet } from "./key-set.js";

/**
 * A key set that never changes and never asks anybody, for instance from a file that came with the token.
 *
 * @param keySet - a JWK set: `{ keys: [...] }` (RFC 7517 §5). Keys that cannot be used are left out
 * @throws {AgentIdentityError} `config_invalid` when it is no JWK set, or holds no public RSA key with a `kid`
 */
export function pinnedKeySet(keySet: unknown): KeySet {
  const keys = parseKeySet(keySet) ?? [];
  if (keys.length === 0) {
    throw new AgentIdentityError("config_invalid", "not a JWK set with a public RSA key", {
      hint: 'give {"keys": [...]} with at least one RSA key that has a "kid"',
    });
  }
  const peek = (kid: string) => keys.filter((key) => key.kid === kid);
  return { find: async (kid) => peek(kid), peek };
}
