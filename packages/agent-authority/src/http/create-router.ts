import {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  fastify,
} from "fastify";
import { addAgentRoutes } from "./agent-routes.js";
import type { AuthorityContext } from "./authority-context.js";
import { addBiscuitRoutes } from "./biscuit-routes.js";
import { addDirectoryRoutes } from "./directory-routes.js";
import { addHealthRoutes } from "./health-routes.js";
import { parseJsonBody } from "./json-body.js";
import { addKeySetRoutes } from "./key-set-routes.js";
import { addLeakedIdentityHook } from "./leaked-identity-hook.js";
import { keepRawBody } from "./raw-body.js";
import { BACKEND_PREFIX } from "./registration-target.js";
import { addTaskRoutes } from "./task-routes.js";
import { type CodedProblem, createRequestProblem, toProblem } from "./to-problem.js";
import { addWhoamiRoutes } from "./whoami-routes.js";

/** The largest body, an agent registration with the most and longest capabilities, has room in it. */
const BODY_LIMIT = 64 * 1024;
const MAX_PARAMETER_LENGTH = 1024;
const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const;

/** The routes, under the root and under `/backend-api`. */
export async function createRouter(context: AuthorityContext): Promise<FastifyInstance> {
  const app = fastify({
    bodyLimit: BODY_LIMIT,
    exposeHeadRoutes: false,
    return503OnClosing: false,
    routerOptions: { maxParamLength: MAX_PARAMETER_LENGTH },
    frameworkErrors: (error, _request, reply) => {
      send(context, reply, toProblem(error), error);
    },
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    "application/json",
    { parseAs: "buffer" },
    async (request: FastifyRequest, body: Buffer) => {
      keepRawBody(request.raw, body);
      return parseJsonBody(body);
    },
  );
  app.addHook("onSend", async (_request, reply) => {
    if (!reply.hasHeader("cache-control")) reply.header("cache-control", "no-store");
    reply.header("x-content-type-options", "nosniff");
  });
  addLeakedIdentityHook(app, context);
  app.setErrorHandler((error: FastifyError, _request, reply) =>
    send(context, reply, toProblem(error), error),
  );
  app.setNotFoundHandler((_request, reply) => send(context, reply, createRequestProblem(404)));
  for (const prefix of ["", BACKEND_PREFIX]) {
    await app.register(async (mounted) => addRoutes(mounted, context), { prefix });
  }
  await app.ready();
  return app;
}

function addRoutes(app: FastifyInstance, context: AuthorityContext): void {
  const allowed = new Map<string, string[]>();
  app.addHook("onRoute", ({ routePath, method }) => {
    allowed.set(routePath, [...(allowed.get(routePath) ?? []), ...[method].flat()]);
  });
  if (context.generations.has("A")) addBiscuitRoutes(app, context);
  if (context.generations.has("B")) addKeySetRoutes(app, context);
  addAgentRoutes(app, context);
  addTaskRoutes(app, context);
  addDirectoryRoutes(app, context);
  addWhoamiRoutes(app, context);
  addHealthRoutes(app, context);
  for (const [url, methods] of [...allowed]) {
    app.route({
      url,
      method: METHODS.filter((method) => !methods.includes(method)),
      handler: async (_request, reply) =>
        send(context, reply.header("allow", methods.join(", ")), createRequestProblem(405)),
    });
  }
}

function send(
  { logger, refusalCodes }: AuthorityContext,
  reply: FastifyReply,
  problem: CodedProblem,
  error?: unknown,
): FastifyReply {
  refusalCodes.set(reply.raw, problem.code);
  if (problem.isInternal) logger?.error({ err: error }, "request failed");
  return reply.code(problem.status).headers(problem.headers).send(problem.body);
}
