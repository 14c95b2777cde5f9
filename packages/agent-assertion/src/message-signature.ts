// The strict checking half of HTTP message signatures; `@countersign/agent-key/message-signature` is the signing half.
export { checkContentDigest } from "./binding/check-content-digest.js";
export type { CheckMessageSignatureInput } from "./binding/check-message-signature.js";
export { checkMessageSignature } from "./binding/check-message-signature.js";
export type { ParsedMessageSignature } from "./binding/parse-message-signature.js";
export { parseMessageSignature } from "./binding/parse-message-signature.js";
export { fieldValue } from "./binding/structured-fields.js";
