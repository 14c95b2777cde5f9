import type { AuthorityStore } from "../store/authority-store.js";
import { createAccessToken, listAccessTokens, revokeAccessToken } from "./operate-access-tokens.js";
import { getAgent, listAgents, revokeAgent } from "./operate-agents.js";
import { listAuditEvents } from "./operate-audit.js";
import { getTask, listTasks, revokeTask } from "./operate-tasks.js";
import type { Registry } from "./registry-types.js";
import { instantOf } from "./times.js";

/** Options of {@link createRegistry}. */
export interface RegistryOptions {
  /** The clock, epoch milliseconds. Default that of the store. */
  readonly now?: (() => number) | undefined;
}

/** Gives an operator the registry in a store. A running authority on the same database sees each change at its next request. */
export function createRegistry(store: AuthorityStore, options: RegistryOptions = {}): Registry {
  const now = options.now ?? store.now;
  return {
    createAccessToken: (token) => createAccessToken(store, token, instantOf(now)),
    listAccessTokens: () => listAccessTokens(store, instantOf(now)),
    revokeAccessToken: (id) => revokeAccessToken(store, id, instantOf(now)),
    listAgents: (filter = {}) => listAgents(store, filter, instantOf(now)),
    getAgent: (agentRuntimeId) => getAgent(store.rows, agentRuntimeId, instantOf(now)),
    revokeAgent: (agentRuntimeId) => revokeAgent(store, agentRuntimeId, instantOf(now)),
    listTasks: (filter = {}) => listTasks(store, filter, instantOf(now)),
    getTask: (taskId) => getTask(store.rows, taskId, instantOf(now)),
    revokeTask: (taskId) => revokeTask(store, taskId, instantOf(now)),
    listAuditEvents: (filter = {}) => listAuditEvents(store, filter),
  };
}
