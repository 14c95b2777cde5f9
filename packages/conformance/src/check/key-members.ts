import { createHash } from "node:crypto";
import type { AgentKey } from "@countersign/agent-key";
import { toX25519PublicKey } from "@countersign/agent-task/server";

/** What a private key gives, in the words of the vector files. The secret is shown by its hash: results are printed. */
export function keyMembers(key: AgentKey): Record<string, string> {
  const { d = "", x = "" } = key.toX25519PrivateKey().export({ format: "jwk" });
  return {
    ssh_public_key: key.publicKey.line,
    x25519_public_key_hex: hexOf(toX25519PublicKey(key.publicKey)),
    // The same, from the private half.
    x25519_public_key_of_private_hex: Buffer.from(x, "base64url").toString("hex"),
    x25519_private_key_sha256: hashOf(Buffer.from(d, "base64url")),
  };
}

/** What a private key must give. */
export function expectedKeyMembers(expected: {
  readonly sshPublicKey: string;
  readonly x25519PublicKeyHex: string;
  readonly x25519PrivateKeyHex: string;
}): Record<string, string> {
  return {
    ssh_public_key: expected.sshPublicKey,
    x25519_public_key_hex: expected.x25519PublicKeyHex,
    x25519_public_key_of_private_hex: expected.x25519PublicKeyHex,
    x25519_private_key_sha256: hashOf(Buffer.from(expected.x25519PrivateKeyHex, "hex")),
  };
}

/** Bytes in lower-case hexadecimal. */
export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

function hashOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
