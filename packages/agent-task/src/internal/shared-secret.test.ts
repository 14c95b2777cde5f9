import { generateKeyPairSync } from "node:crypto";
import { AgentKey } from "@countersign/agent-key";
import { expect, onTestFinished, test, vi } from "vitest";
import { publicKeyOf, rawPublicKey } from "./sealed-box.js";
import { prepareSharedSecret, sharedSecret } from "./shared-secret.js";

function enterWorkers(): void {
  vi.stubGlobal("navigator", { userAgent: "Cloudflare-Workers" });
  onTestFinished(() => {
    vi.unstubAllGlobals();
  });
}

test("a secret that was derived for Workers is the one of other runtimes, and serves once", async () => {
  const key = AgentKey.generate();
  const privateKey = key.toX25519PrivateKey();
  const other = generateKeyPairSync("x25519");
  const expected = Buffer.from(sharedSecret(privateKey, other.publicKey));
  enterWorkers();
  await prepareSharedSecret(key, () => rawPublicKey(other.privateKey));
  const derived = sharedSecret(privateKey, other.publicKey);
  // Node's own is a Buffer.
  expect(derived).not.toBeInstanceOf(Buffer);
  expect(Buffer.from(derived)).toEqual(expected);
  expect(sharedSecret(privateKey, other.publicKey)).toBeInstanceOf(Buffer);
});

test.each([
  ["of small order", new Uint8Array(32)],
  ["that is cut", new Uint8Array(31)],
])("for a public key %s none is derived, and nothing is thrown", async (_, publicKey) => {
  enterWorkers();
  const key = AgentKey.generate();
  await prepareSharedSecret(key, () => publicKey);
  const privateKey = key.toX25519PrivateKey();
  expect(() => sharedSecret(privateKey, publicKeyOf(new Uint8Array(32)))).toThrow();
});

test("in other runtimes none is derived", async () => {
  const key = AgentKey.generate();
  const other = generateKeyPairSync("x25519");
  await prepareSharedSecret(key, () => rawPublicKey(other.privateKey));
  expect(sharedSecret(key.toX25519PrivateKey(), other.publicKey)).toBeInstanceOf(Buffer);
});
