import { diffieHellman, type KeyObject } from "node:crypto";
import type { AgentKey } from "@countersign/agent-key";

// In Workers `diffieHellman` fails with each public key that was imported (workerd 1.20260426.1), and WebCrypto, which derives the secret, answers
// later: the secrets that were derived so, until they are used, by the public key.
const derived = new Map<string, Uint8Array>();

/**
 * Derives the secret of a key and the one-time public key of a sealed box in Workers, before {@link sharedSecret} is asked for it. Does nothing in
 * other runtimes.
 *
 * @param findPublicKey - gives the public key, untrusted; not called in other runtimes
 */
export async function prepareSharedSecret(
  key: AgentKey,
  findPublicKey: () => Uint8Array | undefined,
): Promise<void> {
  if (globalThis.navigator?.userAgent !== "Cloudflare-Workers") return;
  const publicKey = findPublicKey();
  if (publicKey?.length !== 32) return;
  const { subtle } = globalThis.crypto;
  const privateKey = key.toX25519PrivateKey().export({ format: "der", type: "pkcs8" });
  const [own, other] = await Promise.all([
    subtle.importKey("pkcs8", Uint8Array.from(privateKey), "X25519", false, ["deriveBits"]),
    subtle.importKey("raw", Uint8Array.from(publicKey), "X25519", false, []),
  ]);
  // Rejects for a public key of small order: then there is no secret, and `diffieHellman` says so.
  const bits = await subtle.deriveBits({ name: "X25519", public: other }, own, 256).catch(() => {});
  if (bits !== undefined) derived.set(nameOf(publicKey), new Uint8Array(bits));
}

/**
 * Returns the shared secret of two X25519 keys (RFC 7748 §6.1), 32 bytes.
 *
 * @throws what `node:crypto` throws if the public key is of small order, whose secret would be zero
 */
export function sharedSecret(privateKey: KeyObject, publicKey: KeyObject): Uint8Array {
  if (derived.size === 0) return diffieHellman({ privateKey, publicKey });
  const name = nameOf(Buffer.from(publicKey.export({ format: "jwk" }).x ?? "", "base64url"));
  const secret = derived.get(name);
  derived.delete(name);
  return secret ?? diffieHellman({ privateKey, publicKey });
}

function nameOf(publicKey: Uint8Array): string {
  return Buffer.from(publicKey).toString("base64url");
}
