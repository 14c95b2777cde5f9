import type { FastifyInstance } from "fastify";
import type { ListenAdminOptions } from "../../authority-types.js";
import type { AuthorityContext } from "../authority-context.js";
import { createRouter } from "../create-router.js";
import { addHealthRoutes } from "../health-routes.js";
import { createAdminDocument } from "../openapi/admin-document.js";
import { addOpenApiRoutes } from "../openapi/openapi-routes.js";
import { createAdminGate } from "./admin-gate.js";
import { addAdminRoutes } from "./admin-routes.js";

/** Makes what answers the requests of an admin listener. Clients and resource servers are not served there. */
export function createAdminRouter(
  context: AuthorityContext,
  options: Pick<ListenAdminOptions, "hosts"> = {},
): Promise<FastifyInstance> {
  return createRouter(context, {
    prefixes: [""],
    gate: createAdminGate(options.hosts ?? []),
    add(app) {
      addAdminRoutes(app, context);
      addHealthRoutes(app, context);
      addOpenApiRoutes(app, createAdminDocument);
    },
  });
}
