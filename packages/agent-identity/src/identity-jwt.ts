export {
  createIdentityJwtLogin,
  type IdentityJwtLoginOptions,
} from "./identity-jwt/create-identity-jwt-login.js";
export {
  type IdentityJwtAuthOptions,
  identityJwtAuth,
} from "./identity-jwt/identity-jwt-auth.js";
export {
  IDENTITY_JWT_REASONS,
  IdentityJwtError,
  type IdentityJwtErrorOptions,
  type IdentityJwtReason,
} from "./identity-jwt/identity-jwt-error.js";
export type { KeySet, KeySetOptions } from "./identity-jwt/key-set.js";
export { keySetUrl } from "./identity-jwt/key-set-url.js";
export { pinnedKeySet } from "./identity-jwt/pinned-key-set.js";
export { type RemoteKeySetOptions, remoteKeySet } from "./identity-jwt/remote-key-set.js";
export {
  CODEX_AUDIENCE,
  CODEX_ISSUER,
  type IdentityJwtOptions,
  type VerifiedIdentityJwt,
  type VerifyIdentityJwtOptions,
  verifyIdentityJwt,
} from "./identity-jwt/verify-identity-jwt.js";
export type { IdentityClaims } from "./schema/identity-claims.js";
export type { PublicRsaKey } from "./schema/key-set.js";
