// Signing alone, for programs whose start must be quick: no schema library is loaded.
export type { AssertionSignerOptions } from "./sign/assertion-signer.js";
export { AssertionSigner } from "./sign/assertion-signer.js";
export { authorizationField } from "./sign/authorization-field.js";
export type { BindRequestInput } from "./sign/bind-request.js";
export { bindRequest } from "./sign/bind-request.js";
export type { ReadyCredential } from "./sign/ready-credential.js";
export type { SignAssertionInput } from "./sign/sign-assertion.js";
export { signAssertion } from "./sign/sign-assertion.js";
