import type { AgentInfo } from "@countersign/agent-authority";
import type { CommandHandler } from "../../config/run.js";
import { type LifeListOptions, lifeFilterOf } from "../../session/list-filter.js";
import {
  createEntryCommand,
  createListCommand,
  type RegistryKind,
} from "../../session/registry-commands.js";
import { usageError } from "../../text/cli-error.js";
import { type RevokeAgentsOptions, revokeUnusedAgents } from "./revoke-unused-agents.js";

const agents: RegistryKind<AgentInfo> = {
  name: "agent",
  unknown: "unknown_agent",
  revokedFromAbove:
    "its user or account is revoked: countersign authority users list --state revoked",
  columns: [
    "agent_runtime_id",
    "account_id",
    "user_id",
    "state",
    "created_at",
    "last_used_at",
    "agent_harness_id",
    "claims",
  ],
};

/** `authority agents list`. */
export const listAgents = createListCommand(
  agents,
  (registry, options: LifeListOptions, { after, limit, nowMs }) => {
    const last = after && { ...after, id: after.agentRuntimeId };
    return registry.listAgents({ ...lifeFilterOf(options, last, nowMs), limit });
  },
);

/** `authority agents show ID`. */
export const showAgent = createEntryCommand(agents, (registry, id) => registry.getAgent(id));

const revokeOne = createEntryCommand(agents, (registry, id, reason) =>
  registry.revokeAgent(id, reason),
);

/** `authority agents revoke ID`, or with `--unused-since` many at once. */
export const revokeAgent: CommandHandler<RevokeAgentsOptions> = (run, options, words) => {
  const { account, user, address, unusedSince, dryRun } = options;
  if (words.length === 0) return revokeUnusedAgents(run, options);
  const others = [account, user, address, unusedSince, dryRun];
  if (others.every((value) => value === undefined)) return revokeOne(run, options, words);
  throw usageError(
    "an id says which agent: --unused-since and what goes with it are for many",
    "give one of the two",
  );
};

/** `authority agents restore ID`. */
export const restoreAgent = createEntryCommand(agents, (registry, id, reason) =>
  registry.restoreAgent(id, reason),
);
