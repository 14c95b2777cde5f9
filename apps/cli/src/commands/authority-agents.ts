import type { AgentInfo } from "@countersign/agent-authority";
import { createEntryCommand, createListCommand, type RegistryKind } from "../registry-commands.js";
import type { RegistryOptions } from "../registry-session.js";

/** Options of `authority agents list`. */
export interface ListAgentsOptions extends RegistryOptions {
  readonly account?: string;
}

const agents: RegistryKind<AgentInfo> = {
  name: "agent",
  unknown: "unknown_agent",
  columns: ["agent_runtime_id", "account_id", "user_id", "state", "created_at"],
  describe: ({ agentRuntimeId, proven, capabilities, publicKey }) => ({
    agent_runtime_id: agentRuntimeId,
    proven,
    capabilities,
    agent_public_key: publicKey,
  }),
};

/** `authority agents list`. */
export const listAgents = createListCommand(
  agents,
  (registry, { account: accountId }: ListAgentsOptions) => registry.listAgents({ accountId }),
);

/** `authority agents show ID`. */
export const showAgent = createEntryCommand(agents, (registry, id) => registry.getAgent(id));

/** `authority agents revoke ID`. */
export const revokeAgent = createEntryCommand(agents, (registry, id) => registry.revokeAgent(id));
