import { AgentKey } from "@countersign/agent-key";
import { expect, test } from "vitest";
import type { AgentIdentity } from "./agent-identity.js";
import { isSameIdentity } from "./known-identities.js";

const identity: AgentIdentity = {
  authority: "https://authority.example",
  accountId: "acct-1",
  userId: "user-1",
  agentRuntimeId: "agent_1",
  key: AgentKey.generate(),
  registeredAt: "2026-04-15T12:00:00Z",
};

test.each([
  ["the id", { agentRuntimeId: "agent_2" }],
  ["the time of the registration", { registeredAt: "2026-04-15T12:00:01Z" }],
  ["the key", { key: AgentKey.generate() }],
])("two identities of one login are not the same if they differ in %s alone", (_, change) => {
  expect(isSameIdentity(identity, { ...identity, ...change })).toBe(false);
  expect(isSameIdentity(identity, { ...identity })).toBe(true);
});
