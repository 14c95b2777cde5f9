// DER of an Ed25519 private key up to its seed (RFC 8410 §7).
const PREFIX = Buffer.from("302e020100300506032b657004220420", "hex");

/** The private key of a seed of 32 bytes, as base64 of PKCS#8: the same key in each run. */
export function pkcs8OfSeed(seed: Uint8Array): string {
  return Buffer.concat([PREFIX, seed]).toString("base64");
}
