import { readFile } from "node:fs/promises";
import { AgentKey } from "@countersign/agent-key";
import { expect, test } from "vitest";
import { explain, signAndCheck } from "./examples/sign.js";

test("the README holds the example as it is compiled", async () => {
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  const example = await readFile(new URL("./examples/sign.ts", import.meta.url), "utf8");
  expect(readme).toContain(example.trim());
});

test("the README's program signs, checks and shows no secret", () => {
  const key = AgentKey.generate();
  expect(signAndCheck(key.exportPkcs8())).toBe(`AgentKey(${key.publicKey.line}) true`);
});

test("the README's program explains a key that cannot be read", () => {
  let explained = "";
  try {
    signAndCheck("no key");
  } catch (error) {
    explained = explain(error);
  }
  expect(explained).toMatch(/^invalid_key: not base64 of a PKCS#8 Ed25519 private key/);
});
