import type { AgentInfo, LifeState } from "@countersign/agent-authority";
import {
  createEntryCommand,
  createListCommand,
  type ListOptions,
  type RegistryKind,
} from "../../session/registry-commands.js";

/** Options of `authority agents list`. */
export interface ListAgentsOptions extends ListOptions {
  readonly account?: string;
  readonly user?: string;
  readonly state?: LifeState;
}

const agents: RegistryKind<AgentInfo> = {
  name: "agent",
  unknown: "unknown_agent",
  revokedFromAbove:
    "its user or account is revoked: countersign authority users list --state revoked",
  columns: ["agent_runtime_id", "account_id", "user_id", "state", "created_at"],
};

/** `authority agents list`. */
export const listAgents = createListCommand(
  agents,
  (registry, { account, user, state }: ListAgentsOptions, { after, limit }) =>
    registry.listAgents({
      accountId: account,
      userId: user,
      state,
      after: after?.agentRuntimeId,
      limit,
    }),
);

/** `authority agents show ID`. */
export const showAgent = createEntryCommand(agents, (registry, id) => registry.getAgent(id));

/** `authority agents revoke ID`. */
export const revokeAgent = createEntryCommand(agents, (registry, id) => registry.revokeAgent(id));

/** `authority agents restore ID`. */
export const restoreAgent = createEntryCommand(agents, (registry, id) => registry.restoreAgent(id));
