export {
  type CreateSigningKeyOptions,
  createSigningKey,
  type PrivateJwk,
  type SigningKey,
} from "./identity-jwt/create-signing-key.js";
export {
  type IdentityJwtContent,
  type SignIdentityJwtOptions,
  signIdentityJwt,
} from "./identity-jwt/sign-identity-jwt.js";
export {
  AGENT_REGISTRATION_PATH,
  type AgentRegistrationResponse,
  agentRegistrationKeyid,
  agentRegistrationResponseSchema,
  createAgentRegistrationResponse,
} from "./schema/agent-registration.js";
export {
  type AgentBillOfMaterials,
  type AgentRegistrationRequest,
  agentRegistrationRequestSchema,
  parseAgentRegistrationRequest,
} from "./schema/agent-registration-request.js";
export {
  type AgentRevocationResponse,
  agentRevocationPath,
  agentRevocationResponseSchema,
  createAgentRevocationResponse,
} from "./schema/agent-revocation.js";
export {
  BISCUIT_HEADER,
  BISCUIT_PATH,
  type BiscuitRequest,
  parseBiscuitRequestHeaders,
} from "./schema/biscuit.js";
export { identityClaimsSchema } from "./schema/identity-claims.js";
export {
  createKeyRotationResponse,
  type KeyRotation,
  type KeyRotationResponse,
  keyRotationPath,
  keyRotationResponseSchema,
} from "./schema/key-rotation.js";
export {
  type KeyRotationRequest,
  keyRotationRequestSchema,
  parseKeyRotationRequest,
} from "./schema/key-rotation-request.js";
export { type PublicRsaKey, publicRsaKeySchema } from "./schema/key-set.js";
export {
  agentEndPath,
  createTaskEndResponse,
  type OwnEnd,
  taskEndPath,
  taskEndResponseSchema,
} from "./schema/own-end.js";
export {
  type OwnEndRequest,
  ownEndRequestSchema,
  parseOwnEndRequest,
} from "./schema/own-end-request.js";
export {
  type VerifiedKeyRotation,
  type VerifyKeyRotationOptions,
  verifyKeyRotation,
} from "./schema/verify-key-rotation.js";
export { type VerifyOwnEndOptions, verifyOwnEnd } from "./schema/verify-own-end.js";
export {
  createWhoamiResponse,
  WHOAMI_PATH,
  type Whoami,
  whoamiResponseSchema,
} from "./schema/whoami.js";
