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
export type { IdentityEvent, IdentityMessage } from "./identity-channel.js";
export { IDENTITY_CHANNEL } from "./identity-channel.js";
export type { IdentityLook } from "./identity-look.js";
export type { KeySet, KeySetOptions } from "./identity-token/key-set.js";
export { loginAuth, removeLogin, saveLogin } from "./login-auth.js";
export type { LoginAuthOptions } from "./login-auth-options.js";
export type {
  AgentBillOfMaterials,
  AgentRegistrationRequest,
  AgentRegistrationResponse,
} from "./schema/agent-registration.js";
export {
  AGENT_REGISTRATION_PATH,
  agentRegistrationKeyid,
  agentRegistrationRequestSchema,
  agentRegistrationResponseSchema,
  createAgentRegistrationRequest,
  createAgentRegistrationResponse,
  parseAgentRegistrationRequest,
  parseAgentRegistrationResponse,
} from "./schema/agent-registration.js";
export type { AgentRevocationResponse } from "./schema/agent-revocation.js";
export {
  agentRevocationPath,
  agentRevocationResponseSchema,
  createAgentRevocationResponse,
  parseAgentRevocationResponse,
} from "./schema/agent-revocation.js";
export type { BiscuitRequest } from "./schema/biscuit.js";
export {
  BISCUIT_HEADER,
  BISCUIT_PATH,
  createBiscuitRequestHeaders,
  parseBiscuitRequestHeaders,
  parseBiscuitResponseHeaders,
} from "./schema/biscuit.js";
export type {
  StoredHumanLogin,
  StoredIdentity,
  StoredLogin,
  StoredTokenLogin,
} from "./schema/credentials.js";
export type {
  KeyRotation,
  KeyRotationRequest,
  KeyRotationResponse,
} from "./schema/key-rotation.js";
export {
  createKeyRotationRequest,
  createKeyRotationResponse,
  keyRotationPath,
  keyRotationRequestSchema,
  keyRotationResponseSchema,
  keyRotationText,
  parseKeyRotationRequest,
  parseKeyRotationResponse,
} from "./schema/key-rotation.js";
export type {
  VerifiedKeyRotation,
  VerifyKeyRotationOptions,
} from "./schema/verify-key-rotation.js";
export { verifyKeyRotation } from "./schema/verify-key-rotation.js";
export type { Whoami } from "./schema/whoami.js";
export {
  createWhoamiResponse,
  parseWhoamiResponse,
  WHOAMI_PATH,
  whoamiResponseSchema,
} from "./schema/whoami.js";
export { fileStore } from "./store/file-store.js";
export { guardCredentials } from "./store/guard-credentials.js";
export { memoryStore } from "./store/memory-store.js";
