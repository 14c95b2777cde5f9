/** Whose credential it was. */
export interface Principal {
  readonly accountId: string;
  readonly userId: string;
  /** For the audit log: `token:<id>` or `oidc:<issuer name>`. */
  readonly actor: string;
  /** The authority's own token, where it was one. */
  readonly accessTokenId: string | undefined;
  /** Seconds that the agents of this human live unless the operator says otherwise. */
  readonly agentTtlSeconds?: number | undefined;
}

/** Somebody with an access token of this authority. */
export interface TokenPrincipal extends Principal {
  readonly accessTokenId: string;
}
