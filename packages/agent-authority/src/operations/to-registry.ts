import { fromWireNames, hideMembers, type MemberNamed, toWireNames } from "@countersign/agent-key";
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
    createAccessToken: async (options) =>
      hideMembers(fromWireNames(await functions.createAccessToken(toWireNames(options))), "token"),
    listAccessTokens: ({ limit, after, ...filter } = {}) =>
      readPages({ limit, after, pageSize }, async (page) => {
        const answer = await functions.listAccessTokens({ ...toWireNames(filter), ...page });
        return { entries: answer.tokens.map(fromWireNames), next: answer.next };
      }),
    revokeAccessToken: async (id) => named(await functions.revokeAccessToken({ id })),
    listAgents: ({ limit, after, ...filter } = {}) =>
      readPages({ limit, after, pageSize }, async (page) => {
        const answer = await functions.listAgents({ ...toWireNames(filter), ...page });
        return { entries: answer.agents.map(fromWireNames), next: answer.next };
      }),
    getAgent: async (id) => named(await functions.getAgent({ id })),
    revokeAgent: async (id) => named(await functions.revokeAgent({ id })),
    restoreAgent: async (id) => named(await functions.restoreAgent({ id })),
    listTasks: ({ limit, after, ...filter } = {}) =>
      readPages({ limit, after, pageSize }, async (page) => {
        const answer = await functions.listTasks({ ...toWireNames(filter), ...page });
        return { entries: answer.tasks.map(fromWireNames), next: answer.next };
      }),
    getTask: async (id) => named(await functions.getTask({ id })),
    revokeTask: async (id) => named(await functions.revokeTask({ id })),
    restoreTask: async (id) => named(await functions.restoreTask({ id })),
    listUsers: ({ limit, after: seen, ...filter } = {}) => {
      const after = seen && `${seen.accountId},${seen.userId}`;
      return readPages({ limit, after, pageSize }, async (page) => {
        const answer = await functions.listUsers({ ...toWireNames(filter), ...page });
        return { entries: answer.users.map(fromWireNames), next: answer.next };
      });
    },
    revokeUser: async (accountId, userId) =>
      fromWireNames(await functions.revokeUser({ account_id: accountId, user_id: userId })),
    restoreUser: async (accountId, userId) =>
      named(await functions.restoreUser({ account_id: accountId, user_id: userId })),
    listAccounts: ({ limit, after, ...filter } = {}) =>
      readPages({ limit, after, pageSize }, async (page) => {
        const answer = await functions.listAccounts({ ...toWireNames(filter), ...page });
        return { entries: answer.accounts.map(fromWireNames), next: answer.next };
      }),
    revokeAccount: async (accountId) =>
      fromWireNames(await functions.revokeAccount({ account_id: accountId })),
    restoreAccount: async (accountId) =>
      named(await functions.restoreAccount({ account_id: accountId })),
    issueIdentity: async (options) =>
      hideMembers(fromWireNames(await functions.issueIdentity(toWireNames(options))), "token"),
    listSigningKeys: async () =>
      (await functions.listSigningKeys({})).signing_keys.map(fromWireNames),
    rotateSigningKey: async () => fromWireNames(await functions.rotateSigningKey({})),
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
