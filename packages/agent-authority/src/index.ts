export type { OperationsListener } from "@countersign/agent-key/operations-listener";
export { AgentAuthorityError } from "./agent-authority-error.js";
export type {
  Authority,
  AuthorityLogger,
  AuthorityOptions,
  ListenAdminOptions,
  ListenOptions,
  RegistrationProofPolicy,
} from "./authority-types.js";
export { createAuthority } from "./create-authority.js";
export type { DatabaseDirectoryOptions } from "./database-directory.js";
export { databaseDirectory } from "./database-directory.js";
export { databaseReplayStore } from "./database-replay-store.js";
export type { HumanIssuer, HumanPrincipal } from "./humans/human-issuer.js";
export type { RateLimitOptions } from "./limits/rate-limits.js";
export type { ServerLimitOptions, ServerLimits } from "./limits/server-limits.js";
export type {
  AuthorityMetrics,
  AuthorityMetricsOptions,
  AuthorityObserver,
  EndedRequest,
} from "./observe/authority-metrics.js";
export { createAuthorityMetrics } from "./observe/authority-metrics.js";
export type { OperationsListenerOptions } from "./observe/operations-listener.js";
export { createOperationsListener } from "./observe/operations-listener.js";
export type { AuditEvent, AuditFilter } from "./operations/audit-types.js";
export type {
  AccessTokenFilter,
  AccountFilter,
  AgentFilter,
  TaskFilter,
  UserFilter,
} from "./operations/list-filters.js";
export type {
  AccessTokenInfo,
  AccountInfo,
  AgentInfo,
  ChangeOptions,
  CreateAccessTokenOptions,
  CreatedAccessToken,
  FindOptions,
  FoundEntries,
  IssuedIdentity,
  IssueIdentityOptions,
  Registry,
  Revoked,
  RevokePrincipalOptions,
  SigningKeyInfo,
  Stopped,
  TaskInfo,
  UserInfo,
} from "./operations/registry-types.js";
export type { AuditOrigin } from "./registry/audit-stamp.js";
export type { RegistryOptions } from "./registry/create-registry.js";
export { createRegistry } from "./registry/create-registry.js";
export type { FollowAuditEventsOptions } from "./registry/follow-audit-events.js";
export { followAuditEvents } from "./registry/follow-audit-events.js";
export type { Generation } from "./registry/generations.js";
export type { LiveLimitOptions } from "./registry/live-limits.js";
export type { AuditAction, AuditedChange, AuditedRequest } from "./schema/audit-actions.js";
export { AUDITED_CHANGES, AUDITED_REQUESTS } from "./schema/audit-actions.js";
export type { LifeState, PrincipalState, TokenRole } from "./schema/roles-and-states.js";
export { TOKEN_ROLES } from "./schema/roles-and-states.js";
export type { AuthorityStore } from "./store/authority-store.js";
export type { BackupStoreOptions, StoreBackup } from "./store/backup-store.js";
export { backupStore } from "./store/backup-store.js";
export { inspectStore } from "./store/inspect-store.js";
export type { OpenStoreOptions } from "./store/open-store.js";
export { openStore } from "./store/open-store.js";
