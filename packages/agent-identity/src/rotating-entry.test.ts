import { expect, test } from "vitest";
import { toRotatingEntry } from "./rotating-entry.js";
import type { StoredIdentity } from "./schema/credentials.js";

const rotating: StoredIdentity = {
  authority: "https://authority.example",
  account_id: "acct-1",
  user_id: "user-1",
  private_key: "key",
  agent_runtime_id: "agent_1",
  state: "registered",
  next_private_key: "next",
};

test.each<[string, Partial<StoredIdentity>]>([
  ["that waits for its registration", { state: "pending" }],
  ["without an agent", { agent_runtime_id: undefined }],
  ["without a next key", { next_private_key: undefined }],
])("an entry %s has no rotation on its way", (_, change) => {
  expect(toRotatingEntry({ ...rotating, ...change })).toBeUndefined();
});

test("a registered entry with a next key has a rotation on its way, of which the authority may know", () => {
  const expected = { entry: rotating, nextKey: { private_key: "next" } };
  expect(toRotatingEntry(rotating)).toEqual({ ...expected, mayBeKnown: true });
  expect(toRotatingEntry(rotating, false)).toEqual({ ...expected, mayBeKnown: false });
});
