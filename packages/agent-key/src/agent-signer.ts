import type { KeyObject } from "node:crypto";
import type { AgentPublicKey } from "./agent-public-key.js";

/** Options of {@link AgentSigner.sign}. */
export interface SignOptions {
  /** Aborted when nothing waits for the signature any more: the caller has ended its call, or the deadline is over. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * An agent's Ed25519 key, wherever its private half is: in this process (`AgentKey`), in an ssh-agent, a key management service or a WebCrypto
 * key that cannot be exported.
 *
 * Every signature of another signer than `AgentKey` is checked with `publicKey` before it is used.
 *
 * @see docs/protocol.md §4
 */
export interface AgentSigner {
  readonly publicKey: AgentPublicKey;
  /**
   * Signs bytes: pure Ed25519, 64 bytes (RFC 8032 §5.1.6).
   *
   * @returns the signature, or a promise of it
   */
  sign(message: Uint8Array, options?: SignOptions): Uint8Array | Promise<Uint8Array>;
  /**
   * The X25519 form of the private key, which opens sealed boxes. Absent: the key cannot be converted, and tasks are registered with a plain
   * task id (docs/protocol.md T-11).
   */
  toX25519PrivateKey?(): KeyObject;
  /**
   * Derives 32 secret bytes for one named purpose, always the same. Absent: `AgentIdentityManager` derives them from a random secret in its store
   * (docs/protocol.md T-13). An identity that comes with its key then has random idempotency keys, and a repeated registration may get another task.
   */
  deriveSecret?(info: string): Uint8Array;
}

/** A signer that has its signature at once, as `AgentKey` does. What it gives is not checked. */
export interface SyncAgentSigner extends AgentSigner {
  /** Signs a text (as UTF-8): standard base64 with padding, the form of every signature on the wire. */
  signText(text: string): string;
}
