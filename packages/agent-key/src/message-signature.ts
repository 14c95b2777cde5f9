export { contentDigest } from "./message-signature/content-digest.js";
export type {
  MessageSignature,
  SignatureTag,
  SignMessageInput,
} from "./message-signature/sign-message.js";
export { signMessage } from "./message-signature/sign-message.js";
export type {
  SignatureComponent,
  SignatureParameters,
} from "./message-signature/signature-base.js";
export { signatureBase, signatureParameters } from "./message-signature/signature-base.js";
