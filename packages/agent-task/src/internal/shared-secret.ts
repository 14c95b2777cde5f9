import type { AgentSigner } from "@countersign/agent-key";

/**
 * Derives the shared secret of a key and the one-time public key of a sealed box in Workers: their `diffieHellman` fails with each public key that was
 * imported (workerd 1.20260426.1), and WebCrypto answers later than a box is opened. `undefined` in other runtimes, and if there is none: opening the
 * box then says why.
 *
 * @param findPublicKey - gives the public key, untrusted; not called in other runtimes
 */
export async function deriveInWorkers(
  key: AgentSigner,
  findPublicKey: () => Uint8Array | undefined,
): Promise<Uint8Array | undefined> {
  if (globalThis.navigator?.userAgent !== "Cloudflare-Workers") return undefined;
  const publicKey = findPublicKey();
  if (publicKey?.length !== 32 || key.toX25519PrivateKey === undefined) return undefined;
  const { subtle } = globalThis.crypto;
  const privateKey = key.toX25519PrivateKey().export({ format: "der", type: "pkcs8" });
  const [own, other] = await Promise.all([
    subtle.importKey("pkcs8", Uint8Array.from(privateKey), "X25519", false, ["deriveBits"]),
    subtle.importKey("raw", Uint8Array.from(publicKey), "X25519", false, []),
  ]);
  // Rejects for a public key of small order.
  const bits = await subtle.deriveBits({ name: "X25519", public: other }, own, 256).catch(() => {});
  return bits === undefined ? undefined : new Uint8Array(bits);
}
