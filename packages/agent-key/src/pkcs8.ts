import { AgentKeyError } from "./agent-key-error.js";
import { decodeBase64, encodeBase64 } from "./base64.js";

// DER of an Ed25519 private key up to the seed (RFC 5958, RFC 8410 §7). Both forms have one encoding each, so that a comparison of
// bytes is a complete parser: other key types, attributes, other lengths and trailing bytes all fail it.
const V1_PREFIX = /* @__PURE__ */ Buffer.from("302e020100300506032b657004220420", "hex");
const V2_PREFIX = /* @__PURE__ */ Buffer.from("3051020101300506032b657004220420", "hex");
const V2_PUBLIC_KEY_PREFIX = /* @__PURE__ */ Buffer.from("812100", "hex");
// Numbers, because a bundler leaves out an unused module only if nothing in it is computed when it is loaded.
const SEED_BYTES = 32;
const V1_BYTES = 48;
const V2_BYTES = 83;
const PUBLIC_KEY_AT = 51;

/** The parts of a PKCS#8 Ed25519 private key. */
export interface Pkcs8Ed25519 {
  readonly seed: Uint8Array;
  /** Only in version 2; not yet compared with the seed. */
  readonly publicKey: Uint8Array | undefined;
}

/**
 * Takes apart standard base64 of PKCS#8 DER of an Ed25519 private key, version 1 (48 bytes) or version 2 with its public key (83 bytes).
 *
 * @throws {AgentKeyError} `invalid_key` for anything else; the message never holds any of the input
 * @see RFC 5958 §2; RFC 8410 §7; docs/protocol.md §4
 */
export function parsePkcs8(text: string): Pkcs8Ed25519 {
  const der = decode(text);
  if (der.length === V1_BYTES && V1_PREFIX.equals(der.subarray(0, V1_PREFIX.length))) {
    return { seed: der.subarray(V1_PREFIX.length), publicKey: undefined };
  }
  if (
    der.length === V2_BYTES &&
    V2_PREFIX.equals(der.subarray(0, V2_PREFIX.length)) &&
    V2_PUBLIC_KEY_PREFIX.equals(
      der.subarray(PUBLIC_KEY_AT - V2_PUBLIC_KEY_PREFIX.length, PUBLIC_KEY_AT),
    )
  ) {
    return {
      seed: der.subarray(V2_PREFIX.length, V2_PREFIX.length + SEED_BYTES),
      publicKey: der.subarray(PUBLIC_KEY_AT),
    };
  }
  throw notPkcs8();
}

/** DER of PKCS#8 version 1 for a seed of 32 bytes: what Node writes and every OpenSSL reads. */
export function encodePkcs8Der(seed: Uint8Array): Uint8Array {
  return Buffer.concat([V1_PREFIX, seed]);
}

/** Standard base64 of {@link encodePkcs8Der}. */
export function encodePkcs8(seed: Uint8Array): string {
  return encodeBase64(encodePkcs8Der(seed));
}

function decode(text: string): Uint8Array {
  try {
    return decodeBase64(text);
  } catch (cause) {
    throw notPkcs8(cause);
  }
}

function notPkcs8(cause?: unknown): AgentKeyError {
  return new AgentKeyError("invalid_key", "not base64 of a PKCS#8 Ed25519 private key", {
    cause,
    hint: "give PKCS#8 DER in standard base64, version 1 or 2, without PEM lines",
  });
}
