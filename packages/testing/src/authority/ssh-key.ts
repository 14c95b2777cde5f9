import { createPublicKey, verify } from "node:crypto";

const LINE = /^ssh-ed25519 ([A-Za-z0-9+/]+=*)$/;
const BLOB = Buffer.from("0000000b7373682d6564323535313900000020", "hex");
const SPKI = Buffer.from("302a300506032b6570032100", "hex");

/** @internal The 32 bytes of an Ed25519 key in an OpenSSH line, or `undefined` if the line is not valid. */
export function parseSshKey(line: unknown): Uint8Array | undefined {
  const blob = Buffer.from(LINE.exec(typeof line === "string" ? line : "")?.[1] ?? "", "base64");
  const sound = blob.length === 51 && blob.subarray(0, BLOB.length).equals(BLOB);
  return sound ? Uint8Array.from(blob.subarray(BLOB.length)) : undefined;
}

/** @internal Whether a signature holds under the key of an OpenSSH line. */
export function isSigned(text: string, signature: string, line: string): boolean {
  const publicKey = parseSshKey(line);
  return publicKey !== undefined && holds(text, signature, publicKey);
}

function holds(text: string, signature: string, publicKey: Uint8Array): boolean {
  const key = createPublicKey({
    key: Buffer.concat([SPKI, publicKey]),
    format: "der",
    type: "spki",
  });
  return verify(null, Buffer.from(text), key, Buffer.from(signature, "base64"));
}
