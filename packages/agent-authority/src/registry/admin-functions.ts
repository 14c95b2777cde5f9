import type { AdminFunctions } from "../operations/admin-operations.js";
import type { AgentEntry } from "../schema/registry-entries.js";
import type { AuthorityStore } from "../store/authority-store.js";
import { type AuditOrigin, type AuditStamp, because, stampOf } from "./audit-stamp.js";
import { checkAccount } from "./check-no-more.js";
import { find } from "./find.js";
import { hideReporters } from "./hidden-tokens.js";
import { type IdentityPolicy, issueIdentity } from "./issue-identity.js";
import type { ListQuestion } from "./list-entries.js";
import { createAccessToken } from "./make-access-token.js";
import { listAccessTokens, revokeAccessToken } from "./operate-access-tokens.js";
import { listAccounts, restoreAccount, revokeAccount } from "./operate-accounts.js";
import { getAgent, listAgents, restoreAgent, revokeAgent } from "./operate-agents.js";
import { listAuditEvents } from "./operate-audit.js";
import { getTask, listTasks, restoreTask, revokeTask } from "./operate-tasks.js";
import { listUsers, restoreUser, revokeUser } from "./operate-users.js";
import { rotateAccessToken } from "./rotate-access-token.js";
import { listSigningKeys, rotateSigningKey } from "./signing-keys.js";
import { type Instant, instantOf } from "./times.js";
import type { TokenRights } from "./token-rights.js";

type Used = Pick<AgentEntry, "last_used_reported_by">;

/** What operators' functions work with besides the store. */
export interface AdminFunctionsOptions {
  readonly now: () => number;
  readonly identityPolicy: IdentityPolicy;
  /** Who operates it and from where, for the audit log. */
  readonly origin: AuditOrigin;
  /** What the operator's token may do; `undefined` for an operator on the database itself, who may do everything. */
  readonly rights?: TokenRights | undefined;
}

/** Gives each admin operation what it does on a store. */
export function createAdminFunctions(
  store: AuthorityStore,
  { now, identityPolicy, origin, rights }: AdminFunctionsOptions,
): AdminFunctions {
  const scope = rights?.accounts;
  const instant = (): Instant => instantOf(now);
  const stamp = (reason?: string): AuditStamp => because(stampOf(now, origin), reason);
  const shown = <Entry extends Used>(entries: readonly Entry[]) =>
    hideReporters(store.rows, entries, scope);
  const shownOne = async <Entry extends Used>(entry: Entry | undefined) =>
    entry && (await shown([entry]))[0];
  return {
    listAccessTokens: async (query) => {
      const tokens = await listAccessTokens(store, query, instant(), scope);
      return { tokens, ...nextOf(tokens, query.limit, ({ id }) => id) };
    },
    createAccessToken: (body) => createAccessToken(store, body, stamp(), rights),
    rotateAccessToken: async (body) => rotateAccessToken(store, body, stamp(body.reason), rights),
    revokeAccessToken: async ({ id, reason }) => revokeAccessToken(store, id, stamp(reason), scope),
    listAgents: async (query) => {
      const agents = await shown(await listAgents(store, query, instant(), scope));
      const next = nextOf(
        agents,
        query.limit,
        placeIn(query, (agent) => agent.agent_runtime_id),
      );
      return { agents, ...next };
    },
    getAgent: async ({ id }) => shownOne(await getAgent(store.rows, id, instant(), scope)),
    revokeAgent: async ({ id, reason }) => revokeAgent(store, id, stamp(reason), scope),
    restoreAgent: async ({ id, reason }) => restoreAgent(store, id, stamp(reason), scope),
    listTasks: async (query) => {
      const tasks = await shown(await listTasks(store, query, instant(), scope));
      return {
        tasks,
        ...nextOf(
          tasks,
          query.limit,
          placeIn(query, (task) => task.task_id),
        ),
      };
    },
    getTask: async ({ id }) => shownOne(await getTask(store.rows, id, instant(), scope)),
    revokeTask: async ({ id, reason }) => revokeTask(store, id, stamp(reason), scope),
    restoreTask: async ({ id, reason }) => restoreTask(store, id, stamp(reason), scope),
    listUsers: async (query) => {
      const users = await listUsers(store, query, scope);
      const next = nextOf(users, query.limit, (user) => `${user.account_id},${user.user_id}`);
      return { users, ...next };
    },
    revokeUser: async (body) => revokeUser(store, body, stamp(body.reason), scope),
    restoreUser: async (body) => restoreUser(store, principalOf(body), stamp(body.reason), scope),
    listAccounts: async (query) => {
      const accounts = await listAccounts(store, query, scope);
      return { accounts, ...nextOf(accounts, query.limit, ({ account_id }) => account_id) };
    },
    find: (query) => find(store, query, instant(), scope),
    revokeAccount: async (body) => revokeAccount(store, body, stamp(body.reason), scope),
    restoreAccount: async ({ account_id, reason }) =>
      restoreAccount(store, account_id, stamp(reason), scope),
    listAuditEvents: async (query) => ({ events: await listAuditEvents(store, query, scope) }),
    issueIdentity: async (body) => {
      checkAccount(rights, body.account_id);
      return await issueIdentity(store, body, identityPolicy, stamp());
    },
    listSigningKeys: async () => ({ signing_keys: await listSigningKeys(store, instant()) }),
    rotateSigningKey: () => rotateSigningKey(store, stamp()),
  };
}

/** Names an entry's place in a list, as {@link listEntries} reads it. */
function placeIn<Entry extends { readonly last_used_at?: string }>(
  { sort }: ListQuestion,
  idOf: (entry: Entry) => string,
): (entry: Entry) => string {
  return (entry) => (sort === "used" ? `${entry.last_used_at},${idOf(entry)}` : idOf(entry));
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
