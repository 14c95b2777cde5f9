import type { FastifyInstance } from "fastify";
import { isLoopbackRequest } from "../loopback-request.js";
import { OPEN_ROUTE } from "../route-config.js";
import type { OpenApiDocument } from "./create-document.js";

// It changes with the configuration, and with where the caller is.
const CACHE_CONTROL = "private, max-age=60";

/**
 * Serves `GET /openapi.json`. A document is made when it is asked for first: most processes never are.
 *
 * @param create - makes the document for callers on this machine's loopback, or for all others
 */
export function addOpenApiRoutes(
  app: FastifyInstance,
  create: (isOnLoopback: boolean) => OpenApiDocument,
): void {
  const bodies = new Map<boolean, string>();
  app.get("/openapi.json", { config: OPEN_ROUTE }, async (request, reply) => {
    const isOnLoopback = isLoopbackRequest(request.raw);
    const body = bodies.get(isOnLoopback) ?? JSON.stringify(create(isOnLoopback));
    bodies.set(isOnLoopback, body);
    return reply.header("cache-control", CACHE_CONTROL).type("application/json").send(body);
  });
}
