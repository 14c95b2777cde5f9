export { AgentAuthorityError } from "./agent-authority-error.js";
export type {
  Authority,
  AuthorityLogger,
  AuthorityOptions,
  Generation,
  ListenOptions,
  RegistrationProofPolicy,
} from "./authority-types.js";
export { createAuthority } from "./create-authority.js";
export { databaseDirectory } from "./database-directory.js";
export { databaseReplayStore } from "./database-replay-store.js";
export { createOidcIssuer } from "./humans/create-oidc-issuer.js";
export type {
  OidcAccountClaim,
  OidcAlgorithm,
  OidcClaimValue,
  OidcIssuerOptions,
} from "./humans/oidc-issuer-options.js";
export type { HumanIssuer, HumanPrincipal } from "./humans/principal.js";
export type { RegistryOptions } from "./registry/create-registry.js";
export { createRegistry } from "./registry/create-registry.js";
export type {
  AccessTokenInfo,
  AgentFilter,
  AgentInfo,
  AuditAction,
  AuditEvent,
  AuditFilter,
  CreateAccessTokenOptions,
  CreatedAccessToken,
  IssuedIdentity,
  IssueIdentityOptions,
  LifeState,
  Registry,
  SigningKeyInfo,
  TaskFilter,
  TaskInfo,
  TokenRole,
} from "./registry/registry-types.js";
export { TOKEN_ROLES } from "./registry/registry-types.js";
export type { AuthorityStore } from "./store/authority-store.js";
export type { BackupStoreOptions, StoreBackup } from "./store/backup-store.js";
export { backupStore } from "./store/backup-store.js";
export type { OpenStoreOptions } from "./store/open-store.js";
export { openStore } from "./store/open-store.js";
