import type { IncomingMessage, ServerResponse } from "node:http";
import { AgentAssertionError } from "../agent-assertion-error.js";
import { checkMiddlewareOptions } from "../internal/options.js";
import type { VerifiedAssertion } from "../verify/verified-assertion.js";
import { type AdmitOptions, admitRequest } from "./admit-request.js";

declare global {
  namespace Express {
    interface Request {
      /** Who sent the request; set by `agentAssertion`. */
      agent?: VerifiedAssertion | undefined;
    }
  }
}

/** A request that `agentAssertion` may have seen. */
export type AgentRequest = IncomingMessage & { agent?: VerifiedAssertion | undefined };

/** Options of {@link agentAssertion}. */
export type AgentAssertionOptions = AdmitOptions<AgentRequest>;

/** A middleware of Express, connect, and whatever else calls `(request, response, next)`. */
export type AgentMiddleware = (
  request: AgentRequest,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => Promise<void>;

/**
 * Makes a middleware that lets requests through whose assertion holds, with `request.agent` set, and answers all others itself, so that no
 * error handler changes what the protocol asks for.
 *
 * Mount it before whatever reads bodies: a bound request's body is read here, and put back for the next reader. May stand before one route
 * again, with a `policy` of its own: a request is verified once. It answers no CORS preflight; mount what does before it.
 *
 * @throws {AgentAssertionError} `config_invalid`, naming the option, if one is missing or wrong
 */
export function agentAssertion(options: AgentAssertionOptions): AgentMiddleware {
  checkMiddlewareOptions(options);
  return async (request, response, next) => {
    const agent = await admitRequest(request, response, options);
    if (agent === "answered") return;
    request.agent = agent;
    next();
  };
}

/**
 * Who sent a request that went through {@link agentAssertion}.
 *
 * @throws {AgentAssertionError} `config_invalid` if there is no agent: the route is not behind the middleware, or `onMissing` let a request without an
 * assertion pass
 */
export function agentOf(request: AgentRequest): VerifiedAssertion {
  if (request.agent !== undefined) return request.agent;
  throw new AgentAssertionError("config_invalid", "this request was not verified", {
    hint: "mount agentAssertion before this route; with onMissing pass, look at request.agent first",
  });
}
