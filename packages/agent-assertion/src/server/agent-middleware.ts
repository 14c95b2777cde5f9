import type { IncomingMessage, ServerResponse } from "node:http";
import { AgentAssertionError } from "../agent-assertion-error.js";
import { checkMiddlewareOptions } from "../internal/options.js";
import type { VerifiedAssertion } from "../verify/verified-assertion.js";
import { type AdmitOptions, admitRequest } from "./admit-request.js";
import { isNodeExchange } from "./node-request.js";
import { requireCall } from "./require-call.js";

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
 * The middleware throws `config_invalid` if it is called in another form.
 *
 * @throws {AgentAssertionError} `config_invalid`, naming the option, if one is missing or wrong
 */
export function agentAssertion(options: AgentAssertionOptions): AgentMiddleware {
  checkMiddlewareOptions(options);
  // Not an async function: see requireCall.
  return (request, response, next) => {
    requireCall(
      isNodeExchange(request, response) && typeof next === "function",
      "agentAssertion was not called with (request, response, next)",
      "use it with Express 4 or 5, or another server that calls so; for other servers take the entry of that name",
    );
    return admit(request, response, next, options);
  };
}

async function admit(
  request: AgentRequest,
  response: ServerResponse,
  next: (error?: unknown) => void,
  options: AgentAssertionOptions,
): Promise<void> {
  const agent = await admitRequest(request, response, options);
  if (agent === "answered") return;
  request.agent = agent;
  next();
}

/**
 * Who sent a request that went through {@link agentAssertion}, or an upgrade that `admitUpgrades` let through.
 *
 * @throws {AgentAssertionError} `config_invalid` if there is no agent: the handler is not behind the check, or `onMissing` let a request without an
 * assertion pass
 */
export function agentOf(request: AgentRequest): VerifiedAssertion {
  if (request.agent !== undefined) return request.agent;
  throw new AgentAssertionError("config_invalid", "this request was not verified", {
    hint: "put the check before this handler; with onMissing pass, look at request.agent first",
  });
}
