import { diffieHellman, generateKeyPairSync } from "node:crypto";
import { AgentKey } from "@countersign/agent-key";
import { expect, onTestFinished, test, vi } from "vitest";
import { rawPublicKey } from "./sealed-box.js";
import { deriveInWorkers } from "./shared-secret.js";

function enterWorkers(): void {
  vi.stubGlobal("navigator", { userAgent: "Cloudflare-Workers" });
  onTestFinished(() => {
    vi.unstubAllGlobals();
  });
}

test("a secret that is derived in Workers is the one of other runtimes", async () => {
  const key = AgentKey.generate();
  const other = generateKeyPairSync("x25519");
  enterWorkers();
  const shared = await deriveInWorkers(key, () => rawPublicKey(other.privateKey));
  const privateKey = key.toX25519PrivateKey();
  expect(Buffer.from(shared ?? [])).toEqual(
    diffieHellman({ privateKey, publicKey: other.publicKey }),
  );
});

test.each([
  ["of small order", new Uint8Array(32)],
  ["that is cut", new Uint8Array(31)],
  ["that is not there", undefined],
])("for a public key %s none is derived, and nothing is thrown", async (_, publicKey) => {
  enterWorkers();
  expect(await deriveInWorkers(AgentKey.generate(), () => publicKey)).toBeUndefined();
});

test("in other runtimes none is derived, and no public key is looked for", async () => {
  const find = vi.fn(() => new Uint8Array(32));
  expect(await deriveInWorkers(AgentKey.generate(), find)).toBeUndefined();
  expect(find).not.toHaveBeenCalled();
});
