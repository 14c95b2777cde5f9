import type { IncomingMessage } from "node:http";
import {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  fastify,
  type RouteOptions,
} from "fastify";
import { RateLimited } from "../limits/quota.js";
import { noteRoute } from "../observe/observe-request.js";
import { resumeTrace } from "../observe/tracing.js";
import { addAgentRoutes } from "./agent-routes.js";
import { addAssertionWhoamiRoutes } from "./assertion-whoami-routes.js";
import type { AuthorityContext } from "./authority-context.js";
import { addBiscuitRoutes } from "./biscuit-routes.js";
import { addDirectoryRoutes } from "./directory-routes.js";
import { addHealthRoutes } from "./health-routes.js";
import { addIntrospectionRoutes } from "./introspection-routes.js";
import { parseJsonBody } from "./json-body.js";
import { addKeyRoutes } from "./key-routes.js";
import { addKeySetRoutes } from "./key-set-routes.js";
import { addLeakedIdentityHook } from "./leaked-identity-hook.js";
import { logTrouble } from "./log-trouble.js";
import { addOpenApiRoutes } from "./openapi/openapi-routes.js";
import { createPublicDocument } from "./openapi/public-document.js";
import { addRateLimitHooks, settleRefusal } from "./rate-limit-hooks.js";
import { keepRawBody } from "./raw-body.js";
import { BACKEND_PREFIX } from "./registration-target.js";
import { originOf } from "./request-origin.js";
import { checkRouteConfig, OPEN_ROUTE } from "./route-config.js";
import { addTaskRoutes } from "./task-routes.js";
import { type CodedProblem, createRequestProblem, toProblem } from "./to-problem.js";
import { addTokenRefreshRoutes } from "./token-refresh-routes.js";
import { addWhoamiRoutes } from "./whoami-routes.js";

const MAX_PARAMETER_LENGTH = 1024;
const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const;

/** What one listener serves. */
export interface RouteTable {
  /** Where the routes are mounted; `""` is the root. */
  readonly prefixes: readonly string[];
  /** Looks at every request before anything else does, and throws what it refuses. */
  gate?(request: IncomingMessage): void;
  add(app: FastifyInstance, context: AuthorityContext): void;
}

/** What clients and resource servers call. */
const PUBLIC_ROUTES: RouteTable = {
  prefixes: ["", BACKEND_PREFIX],
  add(app, context) {
    if (context.generations.has("A")) addBiscuitRoutes(app, context);
    if (context.generations.has("B")) addKeySetRoutes(app, context);
    addAgentRoutes(app, context);
    addTaskRoutes(app, context);
    addKeyRoutes(app, context);
    addIntrospectionRoutes(app, context);
    addAssertionWhoamiRoutes(app, context);
    addDirectoryRoutes(app, context);
    addWhoamiRoutes(app, context);
    addTokenRefreshRoutes(app, context);
    addHealthRoutes(app, context);
    addOpenApiRoutes(app, (isOnLoopback) => createPublicDocument(context, isOnLoopback));
  },
};

/** Makes what answers the requests of one listener: by default the routes of clients, under the root and under `/backend-api`. */
export async function createRouter(
  context: AuthorityContext,
  routes: RouteTable = PUBLIC_ROUTES,
): Promise<FastifyInstance> {
  const app = fastify({
    bodyLimit: context.limits.maxBodyBytes,
    exposeHeadRoutes: false,
    return503OnClosing: false,
    genReqId: (request) => originOf(request as IncomingMessage).requestId,
    routerOptions: { maxParamLength: MAX_PARAMETER_LENGTH },
    frameworkErrors: (error, _request, reply) => {
      send(context, reply, toProblem(error), error);
    },
  });
  // What a trusted proxy says of it counts, by our own rules and for refusals outside of the router as well.
  app.decorateRequest("ip", {
    getter(this: FastifyRequest) {
      return originOf(this.raw).address ?? "";
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
  app.addHook("onRequest", async ({ raw, routeOptions }) => noteRoute(raw, routeOptions.url));
  app.addHook("preHandler", ({ raw, params }, _reply, done) =>
    resumeTrace(raw, (params as { agentRuntimeId?: string }).agentRuntimeId, done),
  );
  const { gate } = routes;
  if (gate !== undefined) app.addHook("onRequest", async ({ raw }) => gate(raw));
  addRateLimitHooks(app, context);
  addLeakedIdentityHook(app, context);
  app.setErrorHandler(async (error: FastifyError, request, reply) => {
    const refusal = await settleRefusal(context, request, error);
    return send(context, reply, toProblem(refusal), refusal);
  });
  app.setNotFoundHandler((_request, reply) => send(context, reply, createRequestProblem(404)));
  for (const prefix of routes.prefixes) {
    await app.register(async (mounted) => addRoutes(mounted, context, routes), { prefix });
  }
  await app.ready();
  return app;
}

function addRoutes(app: FastifyInstance, context: AuthorityContext, routes: RouteTable): void {
  const allowed = new Map<string, string[]>();
  const added: RouteOptions[] = [];
  app.addHook("onRoute", (route) => {
    const { routePath, method } = route;
    allowed.set(routePath, [...(allowed.get(routePath) ?? []), ...[method].flat()]);
    added.push(route);
  });
  routes.add(app, context);
  for (const route of added) checkRouteConfig(route);
  for (const [url, methods] of [...allowed]) {
    app.route({
      url,
      method: METHODS.filter((method) => !methods.includes(method)),
      config: OPEN_ROUTE,
      handler: async (_request, reply) =>
        send(context, reply.header("allow", methods.join(", ")), createRequestProblem(405)),
    });
  }
}

function send(
  { logger, observer, refusalCodes }: AuthorityContext,
  reply: FastifyReply,
  problem: CodedProblem,
  error?: unknown,
): FastifyReply {
  refusalCodes.set(reply.raw, problem.code);
  if (error instanceof RateLimited) observer?.rateLimited(error.quota.kind);
  logTrouble(logger, error, reply.request.id, problem.isInternal);
  return reply.code(problem.status).headers(problem.headers).send(problem.body);
}
