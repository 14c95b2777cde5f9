import { checkRegistryOptions } from "../authority-options.js";
import type { Generation } from "../authority-types.js";
import type { AuthorityStore } from "../store/authority-store.js";
import { issueIdentity } from "./issue-identity.js";
import { createAccessToken, listAccessTokens, revokeAccessToken } from "./operate-access-tokens.js";
import { getAgent, listAgents, revokeAgent } from "./operate-agents.js";
import { listAuditEvents } from "./operate-audit.js";
import { getTask, listTasks, revokeTask } from "./operate-tasks.js";
import type { Registry } from "./registry-types.js";
import { listSigningKeys, rotateSigningKey } from "./signing-keys.js";
import { instantOf } from "./times.js";

/** Options of {@link createRegistry}. */
export interface RegistryOptions {
  /** The clock, epoch milliseconds. Default that of the store. */
  readonly now?: (() => number) | undefined;
  /** Which clients the authority serves, as it is told itself. Default A and C: no identity JWTs are issued. */
  readonly generations?: readonly Generation[] | undefined;
  /** Seconds that an agent of an identity JWT lives at most. Range 1 to 315,360,000. Default: as long as it is issued for. */
  readonly agentTtlSeconds?: number | undefined;
  /** Live agents of one user in one account. Range 1 to 1,000,000. Default 100. */
  readonly maxLiveAgents?: number | undefined;
}

/** Gives an operator the registry in a store. A running authority on the same database sees each change at its next request. */
export function createRegistry(store: AuthorityStore, options: RegistryOptions = {}): Registry {
  const now = options.now ?? store.now;
  const identityPolicy = checkRegistryOptions(options);
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
    issueIdentity: (identity) => issueIdentity(store, identity, identityPolicy, instantOf(now)),
    listSigningKeys: () => listSigningKeys(store, instantOf(now)),
    rotateSigningKey: () => rotateSigningKey(store, instantOf(now)),
    listAuditEvents: (filter = {}) => listAuditEvents(store, filter),
  };
}
