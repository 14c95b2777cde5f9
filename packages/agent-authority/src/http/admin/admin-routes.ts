import type { FastifyInstance } from "fastify";
import { AgentAuthorityError } from "../../agent-authority-error.js";
import { Refusal } from "../../registry/refusal.js";
import { ADMIN_PATHS } from "../../schema/admin-paths.js";
import {
  accountBodySchema,
  createAccessTokenSchema,
  issueIdentitySchema,
  userBodySchema,
} from "../../schema/admin-requests.js";
import { fromWire, toWire } from "../../schema/wire.js";
import type { AuthorityContext } from "../authority-context.js";
import { admitOperator } from "./admit-operator.js";
import { addEntryRoutes, found } from "./entry-routes.js";
import { addListRoutes } from "./list-routes.js";
import { parseInput } from "./parse-input.js";

const ADMIN_PREFIX = "/v1/admin/";

/** Serves what operators do: each route is a method of the registry (SECURITY.md "Operating"). */
export function addAdminRoutes(app: FastifyInstance, context: AuthorityContext): void {
  app.addHook("onRoute", (route) => {
    if (!route.url.startsWith(ADMIN_PREFIX)) return;
    route.config = { ...route.config, audited: "admin", addressLimit: "refused_requests" };
  });
  addListRoutes(app, context);
  addEntryRoutes(app, context, ADMIN_PATHS.agents, "unknown_agent", {
    get: (registry, id) => registry.getAgent(id),
    revoke: (registry, id) => registry.revokeAgent(id),
    restore: (registry, id) => registry.restoreAgent(id),
  });
  addEntryRoutes(app, context, ADMIN_PATHS.tasks, "unknown_task", {
    get: (registry, id) => registry.getTask(id),
    revoke: (registry, id) => registry.revokeTask(id),
    restore: (registry, id) => registry.restoreTask(id),
  });
  addPrincipalRoutes(app, context);
  app.post(ADMIN_PATHS.tokens, async (request) => {
    const registry = await admitOperator(context, request, "operate");
    const options = fromWire(parseInput(createAccessTokenSchema, request.body));
    return withToken(await registry.createAccessToken(options));
  });
  app.post<{ Params: { id: string } }>(`${ADMIN_PATHS.tokens}/:id/revoke`, async (request) => {
    const registry = await admitOperator(context, request, "operate");
    return found(await registry.revokeAccessToken(request.params.id), "invalid_request");
  });
  app.post(ADMIN_PATHS.identities, async (request) => {
    const registry = await admitOperator(context, request, "operate");
    const options = fromWire(parseInput(issueIdentitySchema, request.body));
    try {
      return withToken(await registry.issueIdentity(options));
    } catch (error) {
      // Generation B is not served: of the authority's configuration that is all that who asks needs to know.
      if (!AgentAuthorityError.is(error) || error.code !== "config_invalid") throw error;
      throw new Refusal("forbidden", error.message, { cause: error, hint: error.hint });
    }
  });
  app.post(`${ADMIN_PATHS.signingKeys}/rotate`, async (request) => {
    const registry = await admitOperator(context, request, "operate");
    return toWire(await registry.rotateSigningKey());
  });
}

// The one answer that shows a token, which what the registry gives does not do by itself.
function withToken<Made extends { readonly token: string }>(made: Made) {
  return toWire({ ...made, token: made.token });
}

// Their ids may hold a slash: they stand in bodies, and in no path.
function addPrincipalRoutes(app: FastifyInstance, context: AuthorityContext): void {
  for (const name of ["revoke", "restore"] as const) {
    app.post(`${ADMIN_PATHS.users}/${name}`, async (request) => {
      const registry = await admitOperator(context, request, "operate");
      const { accountId, userId } = fromWire(parseInput(userBodySchema, request.body));
      const act = name === "revoke" ? registry.revokeUser : registry.restoreUser;
      return found(await act(accountId, userId), "invalid_request");
    });
    app.post(`${ADMIN_PATHS.accounts}/${name}`, async (request) => {
      const registry = await admitOperator(context, request, "operate");
      const { accountId } = fromWire(parseInput(accountBodySchema, request.body));
      const act = name === "revoke" ? registry.revokeAccount : registry.restoreAccount;
      return found(await act(accountId), "invalid_request");
    });
  }
}
