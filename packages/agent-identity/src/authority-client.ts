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
  RegisterAgentOptions,
  RotateKeyOptions,
} from "./client/authority-request.js";
export type { RegistrationSigner } from "./client/registration-proof.js";
