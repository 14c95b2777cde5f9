import { expect, test } from "vitest";
import { entryOf } from "./identity-index.js";
import type { StoredIdentity } from "./schema/credentials.js";
import { freezeCredentials } from "./store/frozen-credentials.js";

const AUTHORITY = "https://authority.example";

function entry(user: string, members: Partial<StoredIdentity> = {}): StoredIdentity {
  return {
    authority: AUTHORITY,
    account_id: "acct-1",
    user_id: user,
    private_key: "key",
    state: "pending",
    ...members,
  };
}

const registered = { state: "registered", agent_runtime_id: "agent_1" } as const;
const identities = [
  entry("user-1"),
  entry("user-1", registered),
  entry("user-1", { ...registered, agent_runtime_id: "agent_2" }),
  entry("user-2"),
  entry("user-2", { private_key: "later" }),
  entry("user-1", { authority: "https://other.example" }),
];
const content = () => ({ version: 1, login: null, identities }) as const;

test.each([
  ["as it was given", content()],
  ["frozen", freezeCredentials(content())],
])("finds the entry of an owner, the first registered one before others: %s", (_, credentials) => {
  const of = (userId: string, authority = AUTHORITY, accountId = "acct-1") =>
    entryOf(credentials, { authority, accountId, userId });
  expect(of("user-1")).toBe(identities[1]);
  expect(of("user-2")).toBe(identities[3]);
  expect(of("user-1", "https://other.example")).toBe(identities[5]);
  expect(of("user-3")).toBeUndefined();
  expect(of("user-1", AUTHORITY, "acct-2")).toBeUndefined();
});

test("a frozen content is looked through once, however often it is asked", () => {
  let looks = 0;
  const counted = entry("user-9");
  Object.defineProperty(counted, "user_id", {
    get: () => {
      looks += 1;
      return "user-9";
    },
  });
  const credentials = freezeCredentials({ version: 1, login: null, identities: [counted] });
  looks = 0;
  for (let i = 0; i < 10; i += 1) {
    entryOf(credentials, { authority: AUTHORITY, accountId: "acct-1", userId: "user-9" });
  }
  expect(looks).toBe(1);
});
