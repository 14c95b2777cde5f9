/** The signature algorithms that a token may have (RFC 7518 §3.1, RFC 8037, RFC 9864): asymmetric ones, so that a public key is never a secret. */
export const OIDC_ALGORITHMS = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
] as const;
