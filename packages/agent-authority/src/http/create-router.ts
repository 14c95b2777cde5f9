import type { IncomingMessage } from "node:http";
import {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  fastify,
} from "fastify";
import { RateLimited } from "../limits/quota.js";
import type { AuthorityContext } from "./authority-context.js";
import { parseJsonBody } from "./json-body.js";
import { addLeakedIdentityHook } from "./leaked-identity-hook.js";
import type { Listener } from "./listener.js";
import { logTrouble } from "./log-trouble.js";
import { addRateLimitHooks, settleRefusal } from "./rate-limit-hooks.js";
import { stateOf } from "./request-state.js";
import { addOperation, checkOperations, OPEN_ROUTE, routeOf } from "./served-operation.js";
import { type CodedProblem, createRequestProblem, toProblem } from "./to-problem.js";

const MAX_PARAMETER_LENGTH = 1024;
const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const;

/**
 * Makes what answers the requests of one listener.
 *
 * @throws {TypeError} an operation of it is not whole
 */
export async function createRouter(
  context: AuthorityContext,
  listener: Listener,
): Promise<FastifyInstance> {
  checkOperations(listener.operations, listener.schemas);
  const app = fastify({
    bodyLimit: context.limits.maxBodyBytes,
    exposeHeadRoutes: false,
    return503OnClosing: false,
    genReqId: (request) => stateOf(request as IncomingMessage).origin.requestId,
    routerOptions: { maxParamLength: MAX_PARAMETER_LENGTH },
    frameworkErrors: (error, _request, reply) => {
      send(context, reply, toProblem(error), error);
    },
  });
  // What a trusted proxy says of it counts, by our own rules and for refusals outside of the router as well.
  app.decorateRequest("ip", {
    getter(this: FastifyRequest) {
      return stateOf(this.raw).origin.address ?? "";
    },
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    "application/json",
    { parseAs: "buffer" },
    async (request: FastifyRequest, body: Buffer) => {
      stateOf(request.raw).body = body;
      return parseJsonBody(body);
    },
  );
  app.addHook("onSend", async (_request, reply) => {
    if (!reply.hasHeader("cache-control")) reply.header("cache-control", "no-store");
    reply.header("x-content-type-options", "nosniff");
  });
  app.addHook("onRequest", async ({ raw, routeOptions }) => {
    const state = stateOf(raw);
    state.route = routeOptions.url;
    state.registers = routeOptions.config.registers;
  });
  app.addHook("preHandler", ({ raw, params }, _reply, done) => {
    const { trace } = stateOf(raw);
    const { agentRuntimeId } = params as { agentRuntimeId?: string };
    if (agentRuntimeId !== undefined) trace?.nameAgent(agentRuntimeId);
    if (trace === undefined) done();
    else trace.run(done);
  });
  const { gate } = listener;
  if (gate !== undefined) app.addHook("onRequest", async ({ raw }) => gate(raw));
  addRateLimitHooks(app, context);
  addLeakedIdentityHook(app, context);
  app.setErrorHandler(async (error: FastifyError, request, reply) => {
    const refusal = await settleRefusal(context, request, error);
    return send(context, reply, toProblem(refusal), refusal);
  });
  app.setNotFoundHandler((_request, reply) => send(context, reply, createRequestProblem(404)));
  for (const prefix of listener.prefixes) {
    await app.register(async (mounted) => addRoutes(mounted, context, listener), { prefix });
  }
  await app.ready();
  return app;
}

function addRoutes(app: FastifyInstance, context: AuthorityContext, listener: Listener): void {
  const allowed = new Map<string, string[]>();
  for (const operation of Object.values(listener.operations)) {
    addOperation(app, context, operation);
    const url = routeOf(operation);
    allowed.set(url, [...(allowed.get(url) ?? []), operation.method.toUpperCase()]);
  }
  for (const [url, methods] of allowed) {
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
  { logger, observer }: AuthorityContext,
  reply: FastifyReply,
  problem: CodedProblem,
  error?: unknown,
): FastifyReply {
  stateOf(reply.request.raw).refusalCode = problem.code;
  if (error instanceof RateLimited) observer?.rateLimited(error.quota.kind);
  logTrouble(logger, error, reply.request.id, problem.isInternal);
  return reply.code(problem.status).headers(problem.headers).send(problem.body);
}
