import { createWhoamiResponse, WHOAMI_PATH } from "@countersign/agent-identity";
import type { FastifyInstance } from "fastify";
import { authenticateHuman } from "../humans/authenticate-human.js";
import { instantOf } from "../registry/times.js";
import type { AuthorityContext } from "./authority-context.js";
import { readBearerToken, readHeaderLines } from "./read-headers.js";

/** Serves `GET /v1/whoami`: whose human token it is (protocol §5.10). */
export function addWhoamiRoutes(app: FastifyInstance, context: AuthorityContext): void {
  const config = { audited: "whoami", addressLimit: "all_requests" } as const;
  app.get(WHOAMI_PATH, { config }, async (request) => {
    const token = readBearerToken(readHeaderLines(request.raw));
    return createWhoamiResponse(await authenticateHuman(context, token, instantOf(context.now)));
  });
}
