export { AuthorityError, type AuthorityErrorOptions } from "./authority-error.js";
export { AuthorityClient } from "./client/authority-client.js";
export { AuthorityClock, type AuthorityExchange } from "./client/authority-clock.js";
export type {
  AuthorityCallOptions,
  AuthorityClientOptions,
  AuthorityRequest,
  AuthorityResponse,
  AuthorityRetry,
  CallPatience,
  HumanProof,
  OwnEndOptions,
  RegisterAgentOptions,
  RotateKeyOptions,
  WhoamiOptions,
} from "./client/authority-request.js";
export type { RegistrationSigner } from "./client/registration-proof.js";
export {
  type AgentRegistrationResponse,
  createAgentRegistrationRequest,
  parseAgentRegistrationResponse,
} from "./schema/agent-registration.js";
export type {
  AgentBillOfMaterials,
  AgentRegistrationRequest,
} from "./schema/agent-registration-request.js";
export {
  type AgentRevocationResponse,
  parseAgentRevocationResponse,
} from "./schema/agent-revocation.js";
export {
  type BiscuitRequest,
  createBiscuitRequestHeaders,
  parseBiscuitResponseHeaders,
} from "./schema/biscuit.js";
export {
  createKeyRotationRequest,
  createKeyRotationRequestAsync,
  type KeyRotation,
  type KeyRotationResponse,
  keyRotationText,
  parseKeyRotationResponse,
  type RotationKeys,
} from "./schema/key-rotation.js";
export {
  createOwnEndRequest,
  type OwnEnd,
  ownEndText,
  parseTaskEndResponse,
} from "./schema/own-end.js";
export { parseWhoamiResponse, type Whoami } from "./schema/whoami.js";
