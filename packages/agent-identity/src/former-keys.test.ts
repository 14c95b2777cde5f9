import { AgentKey } from "@countersign/agent-key";
import { expect, test } from "vitest";
import { isFormerKey, publicLineOf, withFormerKey } from "./former-keys.js";
import type { StoredIdentity } from "./schema/credentials.js";

const key = AgentKey.generate();
const entry: StoredIdentity = {
  authority: "https://authority.example",
  account_id: "acct-1",
  user_id: "user-1",
  private_key: key.exportPkcs8(),
  agent_runtime_id: "agent_1",
  state: "registered",
};

test("a private key that is not a key has no public line", () => {
  expect(publicLineOf({ private_key: "br0ken" })).toBeUndefined();
  expect(publicLineOf(entry)).toBe(key.publicKey.line);
});

test("the latest 16 former keys are known, each once", () => {
  expect(isFormerKey(entry, "line 1")).toBe(false);
  const lines = Array.from({ length: 17 }, (_, index) => `line ${index}`);
  const rotated = [...lines, "line 16"].reduce(withFormerKey, entry);
  expect(rotated.former_public_keys).toEqual(lines.slice(1));
  expect([isFormerKey(rotated, "line 0"), isFormerKey(rotated, "line 16")]).toEqual([false, true]);
});
