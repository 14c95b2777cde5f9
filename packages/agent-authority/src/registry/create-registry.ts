import type { OptionShape } from "@countersign/agent-key";
import { checkRegistryOptions } from "../authority-options.js";
import type { Generation } from "../authority-types.js";
import { CLOCK, checkOption, checkOptions, listOf, STORE } from "../option-checks.js";
import type { AuthorityStore } from "../store/authority-store.js";
import { issueIdentity } from "./issue-identity.js";
import { type AuditOrigin, type Occasion, occasionOf } from "./occasion.js";
import { createAccessToken, listAccessTokens, revokeAccessToken } from "./operate-access-tokens.js";
import { listAccounts, restoreAccount, revokeAccount } from "./operate-accounts.js";
import { getAgent, listAgents, restoreAgent, revokeAgent } from "./operate-agents.js";
import { listAuditEvents } from "./operate-audit.js";
import { getTask, listTasks, restoreTask, revokeTask } from "./operate-tasks.js";
import { listUsers, restoreUser, revokeUser } from "./operate-users.js";
import type { Registry } from "./registry-types.js";
import { listSigningKeys, rotateSigningKey } from "./signing-keys.js";
import { type Instant, instantOf } from "./times.js";

const ORIGIN: OptionShape = {
  type: "object",
  members: { actor: "string" },
  expected: 'an AuditOrigin, for instance { actor: "operator" }',
  optional: true,
};

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
  /** Who operates it and from where, for the audit log. Default `{ actor: "operator" }`. */
  readonly origin?: AuditOrigin | undefined;
}

/**
 * Gives an operator the registry in a store. A running authority on the same database sees each change at its next request.
 *
 * @throws {AgentAuthorityError} `config_invalid`, naming the argument or the option, if one is missing or wrong
 */
export function createRegistry(store: AuthorityStore, options: RegistryOptions = {}): Registry {
  checkOption("store", store, STORE);
  checkOptions(options, { now: CLOCK, generations: listOf("A, B and C"), origin: ORIGIN });
  const { now = store.now, origin = { actor: "operator" } } = options;
  const identityPolicy = checkRegistryOptions(options);
  const instant = (): Instant => instantOf(now);
  const occasion = (): Occasion => occasionOf(now, origin);
  return {
    createAccessToken: (token) => createAccessToken(store, token, occasion()),
    listAccessTokens: (filter = {}) => listAccessTokens(store, filter, instant()),
    revokeAccessToken: (id) => revokeAccessToken(store, id, occasion()),
    listAgents: (filter = {}) => listAgents(store, filter, instant()),
    getAgent: (agentRuntimeId) => getAgent(store.rows, agentRuntimeId, instant()),
    revokeAgent: (agentRuntimeId) => revokeAgent(store, agentRuntimeId, occasion()),
    restoreAgent: (agentRuntimeId) => restoreAgent(store, agentRuntimeId, occasion()),
    listTasks: (filter = {}) => listTasks(store, filter, instant()),
    getTask: (taskId) => getTask(store.rows, taskId, instant()),
    revokeTask: (taskId) => revokeTask(store, taskId, occasion()),
    restoreTask: (taskId) => restoreTask(store, taskId, occasion()),
    listUsers: (filter = {}) => listUsers(store, filter),
    revokeUser: (accountId, userId) => revokeUser(store, { accountId, userId }, occasion()),
    restoreUser: (accountId, userId) => restoreUser(store, { accountId, userId }, occasion()),
    listAccounts: (filter = {}) => listAccounts(store, filter),
    revokeAccount: (accountId) => revokeAccount(store, accountId, occasion()),
    restoreAccount: (accountId) => restoreAccount(store, accountId, occasion()),
    issueIdentity: (identity) => issueIdentity(store, identity, identityPolicy, occasion()),
    listSigningKeys: () => listSigningKeys(store, instant()),
    rotateSigningKey: () => rotateSigningKey(store, occasion()),
    listAuditEvents: (filter = {}) => listAuditEvents(store, filter),
  };
}
