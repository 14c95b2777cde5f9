import { AgentKey } from "@countersign/agent-key";
import { expect, test } from "vitest";
import { explain, signAndCheck } from "../keys/sign.js";

test("the program signs, checks and shows no secret", () => {
  const key = AgentKey.generate();
  expect(signAndCheck(key.exportPkcs8())).toBe(`AgentKey(${key.publicKey.line}) true`);
});

test("the program explains a key that cannot be read", () => {
  let explained = "";
  try {
    signAndCheck("no key");
  } catch (error) {
    explained = explain(error);
  }
  expect(explained).toMatch(/^invalid_key: not base64 of a PKCS#8 Ed25519 private key/);
});
