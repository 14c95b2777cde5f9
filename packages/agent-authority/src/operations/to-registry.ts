import { fromWireNames, hideMembers, type MemberNamed, toWireNames } from "@countersign/agent-key";
import { type CreateAccessTokenBody, DEFAULT_FOUND } from "../schema/admin-requests.js";
import type { AdminFunctions } from "./admin-operations.js";
import { readEvents, readPages } from "./read-pages.js";
import type { Registry } from "./registry-types.js";

/**
 * Gives what operators do the names that TypeScript has for it.
 *
 * @param pageSize - entries that one question for a list asks for at most
 */
export function toRegistry(functions: AdminFunctions, pageSize: number): Registry {
  return {
    createAccessToken: async (options) => {
      // Its lists are only read.
      const body = toWireNames(options) as CreateAccessTokenBody;
      return hideMembers(fromWireNames(await functions.createAccessToken(body)), "token");
    },
    listAccessTokens: ({ limit, after, ...filter } = {}) =>
      readPages({ limit, after, pageSize }, async (page) => {
        const answer = await functions.listAccessTokens({ ...toWireNames(filter), ...page });
        return { entries: answer.tokens.map(fromWireNames), next: answer.next };
      }),
    rotateAccessToken: async (id, options = {}) => {
      const rotated = await functions.rotateAccessToken({ ...toWireNames(options), id });
      return rotated && hideMembers(fromWireNames(rotated), "token");
    },
    revokeAccessToken: async (id, options = {}) =>
      named(await functions.revokeAccessToken({ ...toWireNames(options), id })),
    listAgents: ({ limit, after, ...filter } = {}) =>
      readPages({ limit, after, pageSize }, async (page) => {
        const answer = await functions.listAgents({ ...toWireNames(filter), ...page });
        return { entries: answer.agents.map(fromWireNames), next: answer.next };
      }),
    getAgent: async (id) => named(await functions.getAgent({ id })),
    revokeAgent: async (id, options = {}) =>
      named(await functions.revokeAgent({ ...toWireNames(options), id })),
    restoreAgent: async (id, options = {}) =>
      named(await functions.restoreAgent({ ...toWireNames(options), id })),
    listTasks: ({ limit, after, ...filter } = {}) =>
      readPages({ limit, after, pageSize }, async (page) => {
        const answer = await functions.listTasks({ ...toWireNames(filter), ...page });
        return { entries: answer.tasks.map(fromWireNames), next: answer.next };
      }),
    getTask: async (id) => named(await functions.getTask({ id })),
    revokeTask: async (id, options = {}) =>
      named(await functions.revokeTask({ ...toWireNames(options), id })),
    restoreTask: async (id, options = {}) =>
      named(await functions.restoreTask({ ...toWireNames(options), id })),
    listUsers: ({ limit, after: seen, ...filter } = {}) => {
      const after = seen && `${seen.accountId},${seen.userId}`;
      return readPages({ limit, after, pageSize }, async (page) => {
        const answer = await functions.listUsers({ ...toWireNames(filter), ...page });
        return { entries: answer.users.map(fromWireNames), next: answer.next };
      });
    },
    revokeUser: async (accountId, userId, options = {}) =>
      fromWireNames(await functions.revokeUser(toWireNames({ ...options, accountId, userId }))),
    restoreUser: async (accountId, userId, options = {}) =>
      named(await functions.restoreUser(toWireNames({ ...options, accountId, userId }))),
    listAccounts: ({ limit, after, ...filter } = {}) =>
      readPages({ limit, after, pageSize }, async (page) => {
        const answer = await functions.listAccounts({ ...toWireNames(filter), ...page });
        return { entries: answer.accounts.map(fromWireNames), next: answer.next };
      }),
    revokeAccount: async (accountId, options = {}) =>
      fromWireNames(await functions.revokeAccount(toWireNames({ ...options, accountId }))),
    restoreAccount: async (accountId, options = {}) =>
      named(await functions.restoreAccount(toWireNames({ ...options, accountId }))),
    issueIdentity: async (options) =>
      hideMembers(fromWireNames(await functions.issueIdentity(toWireNames(options))), "token"),
    listSigningKeys: async () =>
      (await functions.listSigningKeys({})).signing_keys.map(fromWireNames),
    rotateSigningKey: async () => fromWireNames(await functions.rotateSigningKey({})),
    find: async (text, { limit = DEFAULT_FOUND, among = "everything" } = {}) => {
      const found = await functions.find({ text, limit, among });
      return {
        agents: found.agents.map(fromWireNames),
        tasks: found.tasks.map(fromWireNames),
        accessTokens: found.tokens.map(fromWireNames),
        users: found.users.map(fromWireNames),
        accounts: found.accounts.map(fromWireNames),
        events: found.events.map(fromWireNames),
        more: found.more,
      };
    },
    listAuditEvents: async ({ after, limit, last, ...filter } = {}) => {
      const events = await readEvents({ after, limit, last, pageSize }, async (page) => {
        const question = { ...toWireNames(filter), ...toWireNames(page) };
        return (await functions.listAuditEvents(question)).events;
      });
      return events.map(fromWireNames);
    },
  };
}

function named<Entry extends object>(entry: Entry | undefined): MemberNamed<Entry> | undefined {
  return entry && fromWireNames(entry);
}
