import type { IncomingMessage, ServerResponse } from "node:http";
import { AgentAssertionError } from "../agent-assertion-error.js";
import { checkMiddlewareOptions } from "../internal/options.js";
import type { VerifiedAssertion } from "../verify/verified-assertion.js";
import { answerRefusal } from "./answer-refusal.js";
import { checkRequest } from "./check-request.js";
import type { MiddlewareOptions } from "./middleware-options.js";
import { isNodeExchange } from "./node-request.js";
import { oncePerRequest } from "./once-per-request.js";
import { requireCall } from "./require-call.js";
import { type RawBodyOption, verifyNodeRequest } from "./verify-request.js";

/** The state of a Koa app behind {@link agentAssertion}: `new Koa<AgentState>()`. */
export interface AgentState {
  /** Who sent the request. */
  agent: VerifiedAssertion;
}

/** The state of a Koa app behind {@link agentAssertion} with `onMissing: "pass"`. */
export interface OptionalAgentState {
  /** Who sent the request; `undefined` if it carries no assertion. */
  agent: VerifiedAssertion | undefined;
}

/** What is used of Koa's context. */
export interface KoaContext {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  /** The target of the request line, also where a router took a prefix off. */
  readonly originalUrl: string;
  /** The client's address, by Koa's own setting of trusted proxies. */
  readonly ip: string;
  readonly state: object;
  /** Set to false where Koa is not to answer. */
  respond?: boolean | undefined;
}

/** Options of {@link agentAssertion}. */
export interface AgentAssertionOptions extends MiddlewareOptions<KoaContext>, RawBodyOption {}

/** A middleware of Koa. */
export type KoaMiddleware = (context: KoaContext, next: () => Promise<unknown>) => Promise<unknown>;

/**
 * Makes a Koa middleware: requests whose assertion holds go on with `ctx.state.agent`, all others are answered past Koa, so that no other
 * middleware changes what the protocol asks for. Fields that were set before, for CORS say, stay.
 *
 * Install it before every middleware that reads bodies: a bound request's body is read here, and put back for the next reader. It may stand
 * before one route again, with a `policy` of its own: a request is verified once.
 *
 * The middleware throws `config_invalid` if it is not called as Koa 2 and 3 do.
 *
 * @throws {AgentAssertionError} `config_invalid`, naming the option, if one is missing or wrong
 */
export function agentAssertion(options: AgentAssertionOptions): KoaMiddleware {
  checkMiddlewareOptions(options);
  // Not an async function: see requireCall.
  return (context, next) => {
    requireKoa(context, next);
    return admit(context, next, options);
  };
}

async function admit(
  context: KoaContext,
  next: () => Promise<unknown>,
  options: AgentAssertionOptions,
): Promise<unknown> {
  const { verifier, rawBody, clientAddress = ipOf } = options;
  const { req: request, originalUrl: target } = context;
  const checked = await checkRequest(options, context, () =>
    oncePerRequest(request, verifier, () => {
      const address = clientAddress(context);
      return verifyNodeRequest(request, { verifier, rawBody, target, clientAddress: address });
    }),
  );
  if (checked.kind === "passes") {
    Object.assign(context.state, { agent: checked.agent });
    return next();
  }
  context.respond = false;
  answerRefusal(context.res, checked.error);
  return undefined;
}

function ipOf({ ip }: KoaContext): string {
  return ip;
}

function requireKoa(context: unknown, next: unknown): void {
  const { req, res, originalUrl, state } = (context ?? {}) as Partial<KoaContext>;
  const isContext =
    isNodeExchange(req, res) && typeof originalUrl === "string" && typeof state === "object";
  requireCall(
    isContext && typeof next === "function",
    "agentAssertion was not called as by Koa",
    "use it with Koa 2 or 3, by app.use(agentAssertion({ verifier })); for other servers take the entry of that name",
  );
}

/**
 * Who sent a request that went through {@link agentAssertion}.
 *
 * @throws {AgentAssertionError} `config_invalid` if there is no agent: the route is not behind the middleware, or `onMissing` let a request without an
 * assertion pass
 */
export function agentOf({ state }: Pick<KoaContext, "state">): VerifiedAssertion {
  const { agent } = state as Partial<OptionalAgentState>;
  if (agent !== undefined) return agent;
  throw new AgentAssertionError("config_invalid", "this request was not verified", {
    hint: "install agentAssertion before this route; with onMissing pass, look at ctx.state.agent first",
  });
}
