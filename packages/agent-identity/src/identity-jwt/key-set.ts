import type { PublicRsaKey } from "../schema/key-set.js";

/** Options of {@link KeySet.find}. */
export interface KeySetOptions {
  /** Ends this caller's waiting; it then rejects with `cancelled`. */
  readonly signal?: AbortSignal | undefined;
}

/** The public keys of an issuer of identity JWTs. Which set is asked is configuration; a token only names a key in it. */
export interface KeySet {
  /**
   * The keys with this id. An empty list means that the id is not trusted.
   *
   * @throws {AuthorityError} if the set cannot be fetched, or if the answer is not a valid key set
   */
  find(kid: string, options?: KeySetOptions): Promise<readonly PublicRsaKey[]>;
  /** The keys of this id as far as they are known without a request. */
  peek(kid: string): readonly PublicRsaKey[];
}
