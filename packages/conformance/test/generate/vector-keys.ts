import { createHash, createPrivateKey, createPublicKey, sign } from "node:crypto";

// DER of PKCS#8 version 1 up to the seed (RFC 8410 §7), and of an OpenSSH public key up to its bytes (RFC 8709 §4).
const PKCS8_PREFIX = Buffer.from("302e020100300506032b657004220420", "hex");
const SSH_PREFIX = Buffer.from("0000000b7373682d6564323535313900000020", "hex");

/** A key of the vectors. It is public, and good for nothing else. */
export interface VectorKey {
  readonly seed: Buffer;
  readonly pkcs8: string;
  readonly line: string;
  /** The base64 of the line. */
  readonly blob: string;
  /** Signs a text as UTF-8. */
  readonly sign: (text: string) => Buffer;
}

/**
 * Makes a key from its name. By OpenSSL alone, not by the code that the vectors test.
 *
 * @param name - for instance `a`; the same name gives the same key for ever
 */
export function vectorKey(name: string): VectorKey {
  const seed = createHash("sha256").update(`countersign vector key ${name}`).digest();
  const der = Buffer.concat([PKCS8_PREFIX, seed]);
  const privateKey = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  const { x = "" } = createPublicKey(privateKey).export({ format: "jwk" });
  const blob = Buffer.concat([SSH_PREFIX, Buffer.from(x, "base64url")]).toString("base64");
  return {
    seed,
    pkcs8: der.toString("base64"),
    line: lineOf(Buffer.from(x, "base64url")),
    blob,
    sign: (text) => sign(null, Buffer.from(text, "utf8"), privateKey),
  };
}

/** The OpenSSH line of the 32 bytes of a public key. */
export function lineOf(publicKey: Buffer): string {
  return `ssh-ed25519 ${Buffer.concat([SSH_PREFIX, publicKey]).toString("base64")}`;
}

export const KEY_A = vectorKey("a");
export const KEY_B = vectorKey("b");
export const KEY_C = vectorKey("c");
export const KEY_D = vectorKey("d");

/** The instant that most vectors are judged at. */
export const NOW = "2026-04-15T17:08:09Z";

/** The epoch seconds of a timestamp, moved by so many. */
export function seconds(timestamp: string, moved = 0): number {
  return Date.parse(timestamp) / 1000 + moved;
}

/** A timestamp, so many seconds later. */
export function later(timestamp: string, moved: number): string {
  return new Date(seconds(timestamp, moved) * 1000).toISOString().replace(".000Z", "Z");
}

/** The whole value of an `Authorization` field. */
export function authorizationOf(
  key: VectorKey,
  agentRuntimeId: string,
  taskId: string,
  timestamp = NOW,
): string {
  const signature = key.sign(`${agentRuntimeId}:${taskId}:${timestamp}`).toString("base64");
  const envelope = JSON.stringify({
    agent_runtime_id: agentRuntimeId,
    signature,
    task_id: taskId,
    timestamp,
  });
  return `AgentAssertion ${Buffer.from(envelope).toString("base64url")}`;
}
