export type { AgentIdentity } from "./agent-identity.js";
export { AgentIdentityError } from "./agent-identity-error.js";
export { AgentIdentityManager } from "./agent-identity-manager.js";
export type {
  AgentIdentityManagerOptions,
  EnsureIdentityOptions,
  RotateIdentityOptions,
} from "./agent-identity-manager-options.js";
export type { AgentKeyRotation } from "./agent-key-rotation.js";
export type { AgentAuth, Auth, AuthSlot, AuthSource, HumanAuth } from "./auth.js";
export { createAuthSlot, fixedAuth } from "./auth.js";
export type { AuthorityErrorOptions } from "./authority-error.js";
export { AuthorityError } from "./authority-error.js";
export type {
  CredentialStore,
  CredentialStoreOptions,
  Credentials,
  UnreadableMember,
} from "./credential-store.js";
export { isFormerKey, publicLineOf, withFormerKey } from "./former-keys.js";
export type {
  AgentIdentityEvents,
  IdentityEvent,
  IdentityFailedEvent,
  IdentityMessage,
  IdentityOfAgentEvent,
  IdentityRefusedEvent,
  IdentityReplacedEvent,
  IdentityStepEvent,
} from "./identity-events.js";
export { IDENTITY_CHANNEL } from "./identity-events.js";
export type { KeySet, KeySetOptions } from "./identity-jwt/key-set.js";
export type { IdentityLook } from "./identity-look.js";
export { loginAuth, removeLogin, saveLogin } from "./login-auth.js";
export type { LoginAuthOptions } from "./login-auth-options.js";
export type { AgentBillOfMaterials } from "./schema/agent-registration-request.js";
export type {
  StoredHumanLogin,
  StoredIdentity,
  StoredIdentityJwtLogin,
  StoredLogin,
} from "./schema/credentials.js";
export type { FoundIssue, FoundIssues } from "./schema/describe-issues.js";
export { describeIssues } from "./schema/describe-issues.js";
export { fileStore } from "./store/file-store.js";
export { guardCredentials } from "./store/guard-credentials.js";
export { memoryStore } from "./store/memory-store.js";
