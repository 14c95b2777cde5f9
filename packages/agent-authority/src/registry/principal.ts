import type { TokenRights } from "./token-rights.js";

/** Whose credential it was. */
export interface Principal {
  readonly accountId: string;
  readonly userId: string;
  /** For the audit log: `token:<id>` or `oidc:<issuer name>`. */
  readonly actor: string;
  /** The name of the token, where it has one. */
  readonly actorName?: string | undefined;
  /** The authority's own token, where it was one. */
  readonly accessTokenId: string | undefined;
  /** Claims of the token that are kept with an agent, by their names: at most 16, of 1 to 512 characters without control characters. */
  readonly claims?: Readonly<Record<string, string>> | undefined;
  /** Seconds that the agents of this human live unless the operator says otherwise. */
  readonly agentTtlSeconds?: number | undefined;
}

/** Somebody with an access token of this authority. */
export interface TokenPrincipal extends Principal {
  readonly accessTokenId: string;
  readonly rights: TokenRights;
  /** When the token ends, as the rows have it. */
  readonly expiresAt: string;
}
