import type { AgentIdentity } from "@countersign/agent-identity";
import { AgentKey } from "@countersign/agent-key";
import { expect, test } from "vitest";
import { isSameAgent, isSameAgentId, isSameSigner } from "./is-same-agent.js";

const identity: AgentIdentity = {
  authority: "https://authority.example",
  accountId: "acct-1",
  userId: "user-1",
  agentRuntimeId: "agent_1",
  key: AgentKey.generate(),
  registeredAt: "2026-04-15T12:00:00Z",
};

// Each differs in one part alone: two authorities may issue equal ids, and a rotation changes nothing but the key.
test.each([
  ["nothing", {}, [true, true, true]],
  ["the time", { registeredAt: "2026-04-15T12:00:01Z" }, [true, true, true]],
  ["the account", { accountId: "acct-2" }, [false, true, true]],
  ["the user", { userId: "user-2" }, [false, true, true]],
  ["the key", { key: AgentKey.generate() }, [false, false, true]],
  ["the id", { agentRuntimeId: "agent_2" }, [false, false, false]],
  ["the authority", { authority: "https://other.example" }, [false, false, false]],
] as const)("compares two that differ in %s", (_, change, [agent, signer, id]) => {
  const other = { ...identity, ...change };
  expect(isSameAgent(identity, other)).toBe(agent);
  expect(isSameSigner(identity, other)).toBe(signer);
  expect(isSameAgentId(identity, other)).toBe(id);
});
