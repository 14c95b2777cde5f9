import type { AuthorityClientOptions } from "@countersign/agent-identity/authority-client";
import { hideMembers } from "@countersign/agent-key";
import { checkOptions } from "../option-checks.js";
import type { Registry } from "../registry/registry-types.js";
import {
  accessTokenListSchema,
  accountListSchema,
  agentListSchema,
  auditEventListSchema,
  signingKeyListSchema,
  taskListSchema,
  userListSchema,
} from "../schema/admin-lists.js";
import { ADMIN_PATHS } from "../schema/admin-paths.js";
import {
  accessTokenEntrySchema,
  accountEntrySchema,
  agentEntrySchema,
  createdAccessTokenSchema,
  issuedIdentitySchema,
  signingKeyEntrySchema,
  taskEntrySchema,
  userEntrySchema,
} from "../schema/registry-entries.js";
import { toWire } from "../schema/wire.js";
import { AdminClient } from "./admin-client.js";
import { readEvents, readPages } from "./read-pages.js";

/** Options of {@link remoteRegistry}. */
export interface RemoteRegistryOptions
  extends Omit<AuthorityClientOptions, "authority" | "attempts"> {
  /** Base URL of the authority's admin listener: https, or http on this machine's loopback. */
  readonly url: string;
  /** Upper bound of the attempts of a question. Default 3. */
  readonly attempts?: number | undefined;
  /** An access token of role `operate`, or `read` for what changes nothing. Secret. */
  readonly token: string;
}

/**
 * Gives an operator the registry of an authority through its admin API. Loads neither a database nor a server.
 *
 * Lists are read page by page: what changes meanwhile may or may not be in them. Changes are sent once, and questions up to three times.
 *
 * @throws {AgentKeyError} `config_invalid` when `url` is no base URL, or plain http to another machine
 * @throws {AgentAuthorityError} `config_invalid`, naming the option, if `url` or `token` is missing
 * @returns its methods reject with `AuthorityError` of `@countersign/agent-identity/authority-client`: `unauthenticated` for a token that does
 *   not hold, `forbidden` for one of role `read` where more is needed, else as the authority refuses or cannot be reached; with
 *   {@link AgentAuthorityError} `bad_response` for an answer of another form
 */
export function remoteRegistry(registryOptions: RemoteRegistryOptions): Registry {
  checkOptions(registryOptions, {
    url: { type: "text", expected: "the base URL of an authority's admin listener" },
    token: { type: "text", expected: "an access token, a text that is not empty" },
  });
  const { url, token, attempts = 3, ...options } = registryOptions;
  const client = new AdminClient({ ...options, attempts, authority: url }, token);
  const { tokens, agents, tasks, users, accounts, audit, identities, signingKeys } = ADMIN_PATHS;
  const principal = (accountId: string, userId: string) => ({
    account_id: accountId,
    user_id: userId,
  });
  return {
    createAccessToken: async (options) =>
      hideMembers(await client.post(tokens, createdAccessTokenSchema, toWire(options)), "token"),
    listAccessTokens: (filter = {}) =>
      readPages(filter.limit, filter.after, async (page) => {
        const answer = await client.list(tokens, accessTokenListSchema, { ...filter, ...page });
        return { entries: answer.tokens, next: answer.next };
      }),
    revokeAccessToken: (id) =>
      client.find("POST", pathOf(tokens, id, "revoke"), accessTokenEntrySchema, { within: tokens }),
    listAgents: (filter = {}) =>
      readPages(filter.limit, filter.after, async (page) => {
        const answer = await client.list(agents, agentListSchema, { ...filter, ...page });
        return { entries: answer.agents, next: answer.next };
      }),
    getAgent: (id) => client.find("GET", pathOf(agents, id), agentEntrySchema),
    revokeAgent: (id) => client.find("POST", pathOf(agents, id, "revoke"), agentEntrySchema),
    restoreAgent: (id) => client.find("POST", pathOf(agents, id, "restore"), agentEntrySchema),
    listTasks: (filter = {}) =>
      readPages(filter.limit, filter.after, async (page) => {
        const answer = await client.list(tasks, taskListSchema, { ...filter, ...page });
        return { entries: answer.tasks, next: answer.next };
      }),
    getTask: (id) => client.find("GET", pathOf(tasks, id), taskEntrySchema),
    revokeTask: (id) => client.find("POST", pathOf(tasks, id, "revoke"), taskEntrySchema),
    restoreTask: (id) => client.find("POST", pathOf(tasks, id, "restore"), taskEntrySchema),
    listUsers: ({ after, ...filter } = {}) => {
      const first = after && `${after.accountId},${after.userId}`;
      return readPages(filter.limit, first, async (page) => {
        const answer = await client.list(users, userListSchema, { ...filter, ...page });
        return { entries: answer.users, next: answer.next };
      });
    },
    revokeUser: (accountId, userId) =>
      client.post(`${users}/revoke`, userEntrySchema, principal(accountId, userId)),
    restoreUser: (accountId, userId) =>
      client.find("POST", `${users}/restore`, userEntrySchema, {
        within: users,
        body: principal(accountId, userId),
      }),
    listAccounts: (filter = {}) =>
      readPages(filter.limit, filter.after, async (page) => {
        const answer = await client.list(accounts, accountListSchema, { ...filter, ...page });
        return { entries: answer.accounts, next: answer.next };
      }),
    revokeAccount: (accountId) =>
      client.post(`${accounts}/revoke`, accountEntrySchema, { account_id: accountId }),
    restoreAccount: (accountId) =>
      client.find("POST", `${accounts}/restore`, accountEntrySchema, {
        within: accounts,
        body: { account_id: accountId },
      }),
    issueIdentity: async (options) =>
      hideMembers(await client.post(identities, issuedIdentitySchema, toWire(options)), "token"),
    listSigningKeys: async () => {
      const answer = await client.list(signingKeys, signingKeyListSchema, {});
      return answer.signingKeys;
    },
    rotateSigningKey: () => client.post(`${signingKeys}/rotate`, signingKeyEntrySchema),
    listAuditEvents: (filter = {}) =>
      readEvents(filter, async (page) => {
        const answer = await client.list(audit, auditEventListSchema, { ...filter, ...page });
        return answer.events;
      }),
  };
}

function pathOf(collection: string, id: string, action?: "revoke" | "restore"): string {
  const path = `${collection}/${encodeURIComponent(id)}`;
  return action === undefined ? path : `${path}/${action}`;
}
