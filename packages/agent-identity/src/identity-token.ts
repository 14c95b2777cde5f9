export {
  createIdentityTokenLogin,
  type IdentityTokenLoginOptions,
} from "./identity-token/create-identity-token-login.js";
export {
  type IdentityTokenAuthOptions,
  identityTokenAuth,
} from "./identity-token/identity-token-auth.js";
export {
  IDENTITY_TOKEN_REASONS,
  IdentityTokenError,
  type IdentityTokenErrorOptions,
  type IdentityTokenReason,
} from "./identity-token/identity-token-error.js";
export type { KeySet, KeySetOptions } from "./identity-token/key-set.js";
export { keySetUrl } from "./identity-token/key-set-url.js";
export { pinnedKeySet } from "./identity-token/pinned-key-set.js";
export { type RemoteKeySetOptions, remoteKeySet } from "./identity-token/remote-key-set.js";
export {
  CODEX_AUDIENCE,
  CODEX_ISSUER,
  type IdentityTokenOptions,
  type VerifiedIdentityToken,
  type VerifyIdentityTokenOptions,
  verifyIdentityToken,
} from "./identity-token/verify-identity-token.js";
export type { IdentityClaims } from "./schema/identity-claims.js";
export type { PublicRsaKey } from "./schema/key-set.js";
