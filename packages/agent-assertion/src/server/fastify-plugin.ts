import type { IncomingMessage } from "node:http";
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from "fastify";
import { AgentAssertionError } from "../agent-assertion-error.js";
import { checkMiddlewareOptions } from "../internal/options.js";
import type { VerifiedAssertion } from "../verify/verified-assertion.js";
import { checkRequest } from "./check-request.js";
import { agentsOfFastify, refuseByReply } from "./fastify-reply.js";
import type { MiddlewareOptions } from "./middleware-options.js";
import { oncePerRequest } from "./once-per-request.js";
import { verifyRequest } from "./verify-request.js";

declare module "fastify" {
  interface FastifyRequest {
    /** Who sent the request; there in the scopes that `agentAssertion` covers. Throws in a hook that runs before the check, and if there is none. */
    readonly agent: VerifiedAssertion;
  }
}

/** Options of {@link agentAssertion}. */
export type AgentAssertionOptions = MiddlewareOptions<FastifyRequest>;

async function register(
  ...[app, options]: Parameters<FastifyPluginAsync<AgentAssertionOptions>>
): Promise<void> {
  checkMiddlewareOptions(options);
  if (!app.hasRequestDecorator("agent")) {
    app.decorateRequest("agent", { getter: agentOf });
  }
  app.addHook("onRequest", (request, reply) => admit(request, reply, options));
}

/**
 * A Fastify plugin: requests whose assertion holds go on with `request.agent` set, all others are answered before anything of their body
 * is parsed and past error handlers and `onSend` hooks, so that none of them changes what the protocol asks for. Fields that were set on
 * the reply before, for CORS say, stay.
 *
 * It covers the routes of the scope that it is registered in, and those of scopes made later. A scope within may register it again with a
 * `policy` of its own: a request is verified once. An error that is not the caller's is logged, unless `onError` is given.
 *
 * Registering it rejects with an `AgentAssertionError`, `config_invalid`, that names the option if one is missing or wrong.
 */
export const agentAssertion: FastifyPluginAsync<AgentAssertionOptions> = Object.assign(register, {
  // What fastify-plugin would set: the hook is for the scope that registers it, not for one of its own.
  [Symbol.for("skip-override")]: true,
  [Symbol.for("fastify.display-name")]: "@countersign/agent-assertion",
  [Symbol.for("plugin-meta")]: { name: "@countersign/agent-assertion", fastify: "5.x" },
});

async function admit(
  request: FastifyRequest,
  reply: FastifyReply,
  options: AgentAssertionOptions,
): Promise<unknown> {
  const { verifier, clientAddress = ipOf } = options;
  const raw: IncomingMessage = request.raw;
  const checked = await checkRequest({ ...options, onError: options.onError ?? log }, request, () =>
    oncePerRequest(raw, verifier, () =>
      verifyRequest(raw, { verifier, clientAddress: clientAddress(request) }),
    ),
  );
  if (checked.kind === "refused") {
    refuseByReply(reply, checked.error);
    return reply;
  }
  if (checked.agent !== undefined) agentsOfFastify.set(request, checked.agent);
  return undefined;
}

function ipOf(request: FastifyRequest): string {
  return request.ip;
}

function log(error: unknown, request: FastifyRequest): void {
  request.log.error({ err: error }, "the assertion cannot be checked now");
}

function agentOf(this: FastifyRequest): VerifiedAssertion {
  const assertion = agentsOfFastify.get(this);
  if (assertion !== undefined) return assertion;
  throw new AgentAssertionError("config_invalid", "this request was not verified", {
    hint: "register agentAssertion in the scope of this route, or above it; with onMissing pass, use findAgent(request)",
  });
}

/** Who sent a request; `undefined` if it carries no assertion, which `onMissing: "pass"` lets pass, or was not verified. */
export function findAgent(request: FastifyRequest): VerifiedAssertion | undefined {
  return agentsOfFastify.get(request);
}
