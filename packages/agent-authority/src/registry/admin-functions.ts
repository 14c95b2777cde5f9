import type { AdminFunctions } from "../operations/admin-operations.js";
import type { AuthorityStore } from "../store/authority-store.js";
import { type AuditOrigin, type AuditStamp, stampOf } from "./audit-stamp.js";
import { type IdentityPolicy, issueIdentity } from "./issue-identity.js";
import { createAccessToken, listAccessTokens, revokeAccessToken } from "./operate-access-tokens.js";
import { listAccounts, restoreAccount, revokeAccount } from "./operate-accounts.js";
import { getAgent, listAgents, restoreAgent, revokeAgent } from "./operate-agents.js";
import { listAuditEvents } from "./operate-audit.js";
import { getTask, listTasks, restoreTask, revokeTask } from "./operate-tasks.js";
import { listUsers, restoreUser, revokeUser } from "./operate-users.js";
import { listSigningKeys, rotateSigningKey } from "./signing-keys.js";
import { type Instant, instantOf } from "./times.js";

/** What operators' functions work with besides the store. */
export interface AdminFunctionsOptions {
  readonly now: () => number;
  readonly identityPolicy: IdentityPolicy;
  /** Who operates it and from where, for the audit log. */
  readonly origin: AuditOrigin;
}

/** Gives each admin operation what it does on a store. */
export function createAdminFunctions(
  store: AuthorityStore,
  { now, identityPolicy, origin }: AdminFunctionsOptions,
): AdminFunctions {
  const instant = (): Instant => instantOf(now);
  const stamp = (): AuditStamp => stampOf(now, origin);
  return {
    listAccessTokens: async (query) => {
      const tokens = await listAccessTokens(store, query, instant());
      return { tokens, ...nextOf(tokens, query.limit, ({ id }) => id) };
    },
    createAccessToken: (body) => createAccessToken(store, body, stamp()),
    revokeAccessToken: ({ id }) => revokeAccessToken(store, id, stamp()),
    listAgents: async (query) => {
      const agents = await listAgents(store, query, instant());
      const next = nextOf(agents, query.limit, ({ agent_runtime_id }) => agent_runtime_id);
      return { agents, ...next };
    },
    getAgent: ({ id }) => getAgent(store.rows, id, instant()),
    revokeAgent: ({ id }) => revokeAgent(store, id, stamp()),
    restoreAgent: ({ id }) => restoreAgent(store, id, stamp()),
    listTasks: async (query) => {
      const tasks = await listTasks(store, query, instant());
      return { tasks, ...nextOf(tasks, query.limit, ({ task_id }) => task_id) };
    },
    getTask: ({ id }) => getTask(store.rows, id, instant()),
    revokeTask: ({ id }) => revokeTask(store, id, stamp()),
    restoreTask: ({ id }) => restoreTask(store, id, stamp()),
    listUsers: async (query) => {
      const users = await listUsers(store, query);
      const next = nextOf(users, query.limit, (user) => `${user.account_id},${user.user_id}`);
      return { users, ...next };
    },
    revokeUser: (body) => revokeUser(store, principalOf(body), stamp()),
    restoreUser: (body) => restoreUser(store, principalOf(body), stamp()),
    listAccounts: async (query) => {
      const accounts = await listAccounts(store, query);
      return { accounts, ...nextOf(accounts, query.limit, ({ account_id }) => account_id) };
    },
    revokeAccount: ({ account_id }) => revokeAccount(store, account_id, stamp()),
    restoreAccount: ({ account_id }) => restoreAccount(store, account_id, stamp()),
    listAuditEvents: async (query) => ({ events: await listAuditEvents(store, query) }),
    issueIdentity: (body) => issueIdentity(store, body, identityPolicy, stamp()),
    listSigningKeys: async () => ({ signing_keys: await listSigningKeys(store, instant()) }),
    rotateSigningKey: () => rotateSigningKey(store, stamp()),
  };
}

// A page that is full may be the last one; the next is then empty.
function nextOf<Entry>(
  page: readonly Entry[],
  limit: number,
  nameOf: (entry: Entry) => string,
): { readonly next?: string } {
  const last = page.at(-1);
  return last === undefined || page.length < limit ? {} : { next: nameOf(last) };
}

function principalOf({ account_id, user_id }: { account_id: string; user_id: string }) {
  return { accountId: account_id, userId: user_id };
}
