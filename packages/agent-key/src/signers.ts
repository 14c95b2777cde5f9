// Keys that are kept elsewhere, in an ssh-agent, a key management service or WebCrypto, and keys in other forms than PKCS#8 in base64. A program with an
// AgentKey needs nothing of this.
export type { Ed25519Jwk } from "./signers/private-key-forms.js";
export { pkcs8FromJwk, pkcs8FromKeyObject, pkcs8FromPem } from "./signers/private-key-forms.js";
export type { SignWithOptions } from "./signers/sign-with-async.js";
export { signsAtOnce, signWithAsync } from "./signers/sign-with-async.js";
export { signedKey, signingAsync, withoutSignature } from "./signers/signing-async.js";
