import { createPublicKey, type KeyObject, verify } from "node:crypto";
import { AgentKeyError } from "./agent-key-error.js";
import { decodeBase64, encodeBase64 } from "./base64.js";
import { isSoundPublicKey } from "./edwards-point.js";
import { LinkedMap } from "./linked-map.js";
import { isStrictSignature } from "./strict-signature.js";

const ALGORITHM = "ssh-ed25519";
// u32be 11, "ssh-ed25519", u32be 32 (RFC 8709 §4, RFC 4253 §6.6), then the 32 bytes of the key.
const BLOB_PREFIX = /* @__PURE__ */ Buffer.from("0000000b7373682d6564323535313900000020", "hex");
// DER of a SubjectPublicKeyInfo up to the key (RFC 8410 §4).
const SPKI_PREFIX = /* @__PURE__ */ Buffer.from("302a300506032b6570032100", "hex");
// An OpenSSH line may carry a comment after the key.
const LINE = /^ssh-ed25519 ([A-Za-z0-9+/=]{1,200})(?: [^\r\n\0]{0,1024})?$/;
// A kept key with its KeyObject takes about 3 KB.
const MAX_KEPT = 5000;
// By line, and sound keys alone: to check one and to make its KeyObject takes more than twice as long as to check a signature.
const kept = /* @__PURE__ */ new LinkedMap<string, AgentPublicKey>(MAX_KEPT);

/** A checked Ed25519 public key. It cannot be changed. */
export class AgentPublicKey {
  readonly #bytes: Uint8Array;
  #keyObject: KeyObject | undefined;
  /** The OpenSSH line without a comment: `ssh-ed25519 <base64>`. */
  readonly line: string;

  private constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.line = `${ALGORITHM} ${encodeBase64(Buffer.concat([BLOB_PREFIX, bytes]))}`;
    Object.freeze(this);
  }

  /**
   * Parses an OpenSSH public key line. A comment is accepted and dropped.
   *
   * A key is checked once: the 5,000 that were parsed last are kept, and given again for an equal line.
   *
   * @throws {AgentKeyError} `invalid_key` when it is no such line, of whatever type, or the key is not canonical, not on the curve or of small order
   * @see docs/protocol.md §4; RFC 8709 §4
   */
  static parse(line: string): AgentPublicKey {
    const encoded = typeof line === "string" ? LINE.exec(line)?.[1] : undefined;
    if (encoded === undefined) throw invalidLine();
    const key =
      kept.get(`${ALGORITHM} ${encoded}`) ?? AgentPublicKey.fromBytes(keyBytesOf(encoded));
    kept.set(key.line, key);
    return key;
  }

  /**
   * Takes the 32 bytes of a public key (RFC 8032 §5.1.5).
   *
   * @throws {AgentKeyError} `invalid_key` when the key is not canonical, not on the curve or of small order
   */
  static fromBytes(bytes: Uint8Array): AgentPublicKey {
    if (!isSoundPublicKey(bytes)) {
      throw new AgentKeyError("invalid_key", "not a sound Ed25519 public key", {
        hint: "the key must be canonical, on the curve and not of small order",
      });
    }
    return new AgentPublicKey(Uint8Array.from(bytes));
  }

  /**
   * The public half of an Ed25519 private key. It needs no check: it is the base point, whose order is L, times a multiple of 8 from 2^254 to
   * 2^255, which is less than 8 L and so no multiple of L (RFC 8032 §5.1.5).
   *
   * @throws {AgentKeyError} `invalid_key` when the key is not an Ed25519 private key
   * @internal
   */
  static ofPrivateKey(key: KeyObject): AgentPublicKey {
    if (key.type !== "private" || key.asymmetricKeyType !== "ed25519") {
      throw new AgentKeyError("invalid_key", "not an Ed25519 private key");
    }
    const { x = "" } = key.export({ format: "jwk" });
    return new AgentPublicKey(Uint8Array.from(Buffer.from(x, "base64url")));
  }

  /** A copy of the 32 bytes of the key. */
  toBytes(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }

  /**
   * Returns whether a signature is valid over the bytes (a text is taken as UTF-8). It must have 64 bytes, its first half, R, must not be of
   * small order, and its second half, S, must be below the order L of the base point.
   *
   * @see docs/protocol.md K-5; RFC 8032 §5.1.7
   */
  verify(message: string | Uint8Array, signature: Uint8Array): boolean {
    if (!isStrictSignature(signature)) return false;
    this.#keyObject ??= createPublicKey({
      key: Buffer.concat([SPKI_PREFIX, this.#bytes]),
      format: "der",
      type: "spki",
    });
    const bytes = typeof message === "string" ? Buffer.from(message, "utf8") : message;
    return verify(null, bytes, this.#keyObject, signature);
  }

  /** Returns whether this is the same key. */
  equals(other: AgentPublicKey): boolean {
    return this.line === other.line;
  }

  /** The OpenSSH line. */
  toString(): string {
    return this.line;
  }

  /** The OpenSSH line. */
  toJSON(): string {
    return this.line;
  }
}

function keyBytesOf(encoded: string): Uint8Array {
  const blob = Buffer.from(decodeBlob(encoded));
  const start = BLOB_PREFIX.length;
  if (!BLOB_PREFIX.equals(blob.subarray(0, start))) throw invalidLine();
  return blob.subarray(start);
}

function decodeBlob(encoded: string): Uint8Array {
  try {
    return decodeBase64(encoded);
  } catch (cause) {
    throw invalidLine(cause);
  }
}

function invalidLine(cause?: unknown): AgentKeyError {
  return new AgentKeyError("invalid_key", "not an OpenSSH line of an Ed25519 public key", {
    cause,
    hint: "it begins with ssh-ed25519, followed by base64",
  });
}
