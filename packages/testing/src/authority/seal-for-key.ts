/**
 * Seals a text for an Ed25519 public key of 32 bytes, in standard base64. libsodium does it, so that the test authority shares no cipher with what it tests.
 * It is loaded at the first call, because most tests need no sealed answer and loading it takes longer than all else here.
 */
export async function sealForKey(text: string, ed25519: Uint8Array): Promise<string> {
  const { default: sodium } = await import("libsodium-wrappers");
  await sodium.ready;
  const recipient = sodium.crypto_sign_ed25519_pk_to_curve25519(ed25519);
  return Buffer.from(sodium.crypto_box_seal(text, recipient)).toString("base64");
}
