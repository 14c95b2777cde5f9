import { randomBytes } from "node:crypto";
import type { SyncAgentSigner } from "../agent-signer.js";
import { encodeBase64Url } from "../base64.js";
import { signWith } from "../sign-with.js";
import { type SignatureComponent, signatureBase, signatureParameters } from "./signature-base.js";

const NONCE_BYTES = 16;

/** What a signature of this protocol is for. One made for the one purpose never holds for the other. */
export type SignatureTag = "agent-assertion" | "agent-registration";

/** What one message signature covers, and the key that signs it. */
export interface SignMessageInput {
  readonly key: SyncAgentSigner;
  /** How the checker names the key. Printable ASCII. */
  readonly keyid: string;
  readonly tag: SignatureTag;
  /** Epoch seconds. */
  readonly created: number;
  /** Printable ASCII, never used twice. Default 16 random bytes as base64url. */
  readonly nonce?: string | undefined;
  /** Names in lower case with their values, in the order that they are signed in. */
  readonly components: readonly SignatureComponent[];
}

/** The two fields of a signed message; the label of both is the tag. */
export interface MessageSignature {
  /** The value of `Signature-Input`. */
  readonly signatureInput: string;
  /** The value of `Signature`. */
  readonly signature: string;
}

/**
 * Signs components of a message: the profile of HTTP message signatures that this protocol uses, Ed25519 alone and without `alg`.
 *
 * The values are taken as they are given: that they are those of the message is the caller's part.
 *
 * @throws {AgentKeyError} `invalid_request` when a name, a value or a parameter cannot be signed; otherwise as `signWith`
 * @see RFC 9421 §3.1, §3.3.6, §4; docs/protocol.md §7
 */
export function signMessage(input: SignMessageInput): MessageSignature {
  const { key, keyid, tag, created, components } = input;
  const nonce = input.nonce ?? encodeBase64Url(randomBytes(NONCE_BYTES));
  const names = components.map(([name]) => name);
  const parameters = signatureParameters(names, { created, keyid, nonce, tag });
  const signature = signWith(key, signatureBase(components, parameters));
  return { signatureInput: `${tag}=${parameters}`, signature: `${tag}=:${signature}:` };
}
