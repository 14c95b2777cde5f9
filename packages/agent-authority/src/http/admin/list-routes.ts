import type { FastifyInstance } from "fastify";
import { ADMIN_PATHS } from "../../schema/admin-paths.js";
import {
  accessTokenQuerySchema,
  accountQuerySchema,
  agentQuerySchema,
  auditQuerySchema,
  DEFAULT_AUDIT_PAGE,
  noQuerySchema,
  taskQuerySchema,
  userQuerySchema,
} from "../../schema/admin-requests.js";
import { fromWire, toWire } from "../../schema/wire.js";
import type { AuthorityContext } from "../authority-context.js";
import { admitOperator } from "./admit-operator.js";
import { parseInput } from "./parse-input.js";

/** Serves what the registry lists, page by page. */
export function addListRoutes(app: FastifyInstance, context: AuthorityContext): void {
  app.get(ADMIN_PATHS.tokens, async (request) => {
    const registry = await admitOperator(context, request, "read");
    const filter = fromWire(parseInput(accessTokenQuerySchema, request.query));
    const tokens = await registry.listAccessTokens(filter);
    return { tokens: tokens.map(toWire), ...nextOf(tokens, filter.limit, ({ id }) => id) };
  });
  app.get(ADMIN_PATHS.agents, async (request) => {
    const registry = await admitOperator(context, request, "read");
    const filter = fromWire(parseInput(agentQuerySchema, request.query));
    const agents = await registry.listAgents(filter);
    const next = nextOf(agents, filter.limit, ({ agentRuntimeId }) => agentRuntimeId);
    return { agents: agents.map(toWire), ...next };
  });
  app.get(ADMIN_PATHS.tasks, async (request) => {
    const registry = await admitOperator(context, request, "read");
    const filter = fromWire(parseInput(taskQuerySchema, request.query));
    const tasks = await registry.listTasks(filter);
    return { tasks: tasks.map(toWire), ...nextOf(tasks, filter.limit, ({ taskId }) => taskId) };
  });
  app.get(ADMIN_PATHS.users, async (request) => {
    const registry = await admitOperator(context, request, "read");
    const { after, ...filter } = fromWire(parseInput(userQuerySchema, request.query));
    const [accountId = "", userId = ""] = after?.split(",") ?? [];
    const users = await registry.listUsers({
      ...filter,
      after: after === undefined ? undefined : { accountId, userId },
    });
    const next = nextOf(users, filter.limit, (user) => `${user.accountId},${user.userId}`);
    return { users: users.map(toWire), ...next };
  });
  app.get(ADMIN_PATHS.accounts, async (request) => {
    const registry = await admitOperator(context, request, "read");
    const filter = fromWire(parseInput(accountQuerySchema, request.query));
    const accounts = await registry.listAccounts(filter);
    const next = nextOf(accounts, filter.limit, ({ accountId }) => accountId);
    return { accounts: accounts.map(toWire), ...next };
  });
  app.get(ADMIN_PATHS.audit, async (request) => {
    const registry = await admitOperator(context, request, "read");
    const filter = fromWire(parseInput(auditQuerySchema, request.query));
    const { limit = filter.last === undefined ? DEFAULT_AUDIT_PAGE : undefined } = filter;
    return { events: (await registry.listAuditEvents({ ...filter, limit })).map(toWire) };
  });
  app.get(ADMIN_PATHS.signingKeys, async (request) => {
    const registry = await admitOperator(context, request, "read");
    parseInput(noQuerySchema, request.query);
    return { signing_keys: (await registry.listSigningKeys()).map(toWire) };
  });
}

// A page that is full may be the last one; the next is then empty.
function nextOf<Info>(
  page: readonly Info[],
  limit: number,
  nameOf: (info: Info) => string,
): { readonly next?: string } {
  const last = page.at(-1);
  return last === undefined || page.length < limit ? {} : { next: nameOf(last) };
}
