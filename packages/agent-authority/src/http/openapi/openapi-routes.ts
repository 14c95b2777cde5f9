import type { FastifyInstance } from "fastify";
import { OPEN_ROUTE } from "../route-config.js";
import type { OpenApiDocument } from "./create-document.js";

// It changes with the configuration alone.
const CACHE_CONTROL = "public, max-age=60";

/** Serves `GET /openapi.json`. The document is made when it is asked for first: most processes never are. */
export function addOpenApiRoutes(app: FastifyInstance, create: () => OpenApiDocument): void {
  let body: string | undefined;
  app.get("/openapi.json", { config: OPEN_ROUTE }, async (_request, reply) => {
    body ??= JSON.stringify(create());
    return reply.header("cache-control", CACHE_CONTROL).type("application/json").send(body);
  });
}
