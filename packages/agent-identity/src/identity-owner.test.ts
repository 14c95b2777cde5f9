import { AgentKey } from "@countersign/agent-key";
import { expect, test } from "vitest";
import { isSameOwner } from "./identity-owner.js";
import { isSameIdentity } from "./known-identities.js";

const identity = {
  authority: "https://authority.example",
  accountId: "acct-1",
  userId: "user-1",
  agentRuntimeId: "agent_1",
  key: AgentKey.generate(),
  registeredAt: "2026-04-15T12:00:00Z",
};

// Each differs in one part alone.
test.each([
  ["nothing", {}, true, true],
  ["the authority", { authority: "https://other.example" }, false, true],
  ["the account", { accountId: "acct-2" }, false, true],
  ["the user", { userId: "user-2" }, false, true],
  ["the id", { agentRuntimeId: "agent_2" }, true, false],
  ["the key", { key: AgentKey.generate() }, true, false],
  ["the time", { registeredAt: "2026-04-15T12:00:01Z" }, true, false],
] as const)(
  "compares owners, and registrations of one owner, that differ in %s",
  (_, change, owner, registration) => {
    const other = { ...identity, ...change };
    expect(isSameOwner(identity, other)).toBe(owner);
    expect(isSameIdentity(identity, other)).toBe(registration);
  },
);
