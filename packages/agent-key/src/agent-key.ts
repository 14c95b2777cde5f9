import {
  createHash,
  createPrivateKey,
  hkdfSync,
  type KeyObject,
  randomBytes,
  sign,
} from "node:crypto";
import { inspect } from "node:util";
import { AgentKeyError } from "./agent-key-error.js";
import { AgentPublicKey } from "./agent-public-key.js";
import type { SyncAgentSigner } from "./agent-signer.js";
import { encodeBase64 } from "./base64.js";
import { encodePkcs8, encodePkcs8Der, parsePkcs8 } from "./pkcs8.js";

const SEED_BYTES = 32;
// DER of an X25519 private key up to its scalar (RFC 8410 §7).
const X25519_PREFIX = /* @__PURE__ */ Buffer.from("302e020100300506032b656e04220420", "hex");

/**
 * The Ed25519 key of one agent.
 *
 * The private half leaves the object by {@link AgentKey.exportPkcs8} alone: `toString`, `toJSON` and `util.inspect` show the public
 * half, and the seed is a private field. JavaScript cannot wipe every copy of it from memory.
 */
export class AgentKey implements SyncAgentSigner {
  readonly #seed: Uint8Array;
  readonly #privateKey: KeyObject;
  #x25519: KeyObject | undefined;
  /** The public half. */
  readonly publicKey: AgentPublicKey;

  private constructor(seed: Uint8Array) {
    this.#seed = seed;
    this.#privateKey = createPrivateKey({
      key: Buffer.from(encodePkcs8Der(seed)),
      format: "der",
      type: "pkcs8",
    });
    this.publicKey = AgentPublicKey.ofPrivateKey(this.#privateKey);
    // No method of the class: a bundler keeps a class with a computed name also in a program that does not use it.
    Object.defineProperty(this, inspect.custom, { value: () => this.toString() });
  }

  /** Makes a new key from 32 bytes of the operating system's randomness (RFC 8032 §5.1.5). */
  static generate(): AgentKey {
    return new AgentKey(Uint8Array.from(randomBytes(SEED_BYTES)));
  }

  /**
   * Reads a private key: standard base64 of PKCS#8 DER, version 1 (48 bytes) or version 2 with its public key (83 bytes).
   *
   * @throws {AgentKeyError} `invalid_key` for anything else, also where the public half of version 2 belongs to another key
   * @see docs/protocol.md §4
   */
  static importPkcs8(text: string): AgentKey {
    const { seed, publicKey } = parsePkcs8(text);
    const key = new AgentKey(Uint8Array.from(seed));
    if (publicKey !== undefined && !Buffer.from(publicKey).equals(key.publicKey.toBytes())) {
      throw new AgentKeyError("invalid_key", "the public half belongs to another private key");
    }
    return key;
  }

  /** Writes the private key as standard base64 of PKCS#8 DER, version 1. The result is the secret: store it owner-only. */
  exportPkcs8(): string {
    return encodePkcs8(this.#seed);
  }

  /** Signs bytes (a text is taken as UTF-8): pure Ed25519, 64 bytes, deterministic (RFC 8032 §5.1.6). */
  sign(message: string | Uint8Array): Uint8Array {
    const bytes = typeof message === "string" ? Buffer.from(message, "utf8") : message;
    return sign(null, bytes, this.#privateKey);
  }

  /** Signs a text and returns standard base64 with padding, the form of every signature on the wire. */
  signText(text: string): string {
    return encodeBase64(this.sign(text));
  }

  /**
   * The X25519 private key of this key, to open sealed boxes with: the clamped first half of SHA-512 of the seed, as libsodium's
   * `crypto_sign_ed25519_sk_to_curve25519` gives it. Made at the first call and kept.
   *
   * @see docs/protocol.md §4; RFC 7748 §5
   */
  toX25519PrivateKey(): KeyObject {
    if (this.#x25519 === undefined) {
      const scalar = createHash("sha512").update(this.#seed).digest().subarray(0, 32);
      scalar[0] = (scalar[0] ?? 0) & 248;
      scalar[31] = ((scalar[31] ?? 0) & 127) | 64;
      this.#x25519 = createPrivateKey({
        key: Buffer.concat([X25519_PREFIX, scalar]),
        format: "der",
        type: "pkcs8",
      });
    }
    return this.#x25519;
  }

  /**
   * Derives 32 secret bytes from the seed for one named purpose (HKDF-SHA-256 without salt).
   *
   * @param info - the purpose, for instance `countersign idempotency v1`
   * @see RFC 5869; docs/protocol.md §5.5
   */
  deriveSecret(info: string): Uint8Array {
    return new Uint8Array(hkdfSync("sha256", this.#seed, new Uint8Array(0), info, 32));
  }

  /** Shows the public half. */
  toString(): string {
    return `AgentKey(${this.publicKey.line})`;
  }

  /** Shows the public half. */
  toJSON(): { readonly publicKey: string } {
    return { publicKey: this.publicKey.line };
  }
}
