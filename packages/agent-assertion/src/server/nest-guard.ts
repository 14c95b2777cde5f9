import { AgentAssertionError } from "../agent-assertion-error.js";
import { checkMiddlewareOptions } from "../internal/options.js";
import type { AssertionVerifier } from "../verify/create-verifier.js";
import type { VerifiedAssertion } from "../verify/verified-assertion.js";
import { checkRequest } from "./check-request.js";
import type { MiddlewareOptions } from "./middleware-options.js";
import {
  exchangeOf,
  type NestExchange,
  type NestExecutionContext,
  type NestRequest,
} from "./nest-exchange.js";
import { oncePerRequest } from "./once-per-request.js";
import { verifyRequest } from "./verify-request.js";

/** Options of {@link agentGuard}; `R` is the request of Nest's platform. */
export type AgentGuardOptions<R extends NestRequest = NestRequest> = Omit<
  MiddlewareOptions<R>,
  "verifier"
>;

/** A guard, as Nest calls it. */
export interface AgentGuard {
  canActivate(context: NestExecutionContext): Promise<boolean>;
}

/**
 * Makes a guard of Nest on Express or Fastify, for `app.useGlobalGuards`, `APP_GUARD` and `@UseGuards`: requests whose assertion holds go on to their
 * handler, all others are answered past Nest's exception filters and interceptors, so that none of them changes what the protocol asks for. Fields that
 * were set before, for CORS say, stay.
 *
 * Nest parses bodies before its guards. To verify bound requests with a body, make the application with `rawBody: true`. A guard may stand before one
 * route again, with a `policy` of its own: a request is verified once. A path without a route has no guard, and is Nest's 404.
 *
 * `canActivate` throws `config_invalid` in a context other than HTTP, and on another platform: such a handler never runs.
 *
 * @throws {AgentAssertionError} `config_invalid`, naming the argument or the option, if one is missing or wrong
 */
export function agentGuard<R extends NestRequest = NestRequest>(
  verifier: AssertionVerifier,
  options: AgentGuardOptions<R> = {},
): AgentGuard {
  checkMiddlewareOptions({ ...options, verifier });
  return {
    // Not an async function: what did not call as Nest does is stopped at once.
    canActivate: (context) => admit(exchangeOf<R>(context), verifier, options),
  };
}

async function admit<R extends NestRequest>(
  exchange: NestExchange<R>,
  verifier: AssertionVerifier,
  options: AgentGuardOptions<R>,
): Promise<boolean> {
  const { request, incoming } = exchange;
  const { clientAddress = ipOf } = options;
  const checked = await checkRequest(options, request, () =>
    oncePerRequest(incoming, verifier, () =>
      verifyRequest(incoming, {
        verifier,
        clientAddress: clientAddress(request),
        rawBody: () => request.rawBody,
      }),
    ),
  );
  if (checked.kind === "passes") {
    exchange.keepAgent(checked.agent);
    return true;
  }
  exchange.refuse(checked.error);
  // Of every other outcome Nest makes an exception, and its filters would answer a second time. A new one each time: what waits for it ends with it.
  return new Promise<never>(() => {});
}

function ipOf({ ip }: NestRequest): string | undefined {
  return ip;
}

/**
 * Gives a handler who sent its request: `const Agent = createParamDecorator(agentParameter)`. It also finds the agent that a middleware of `/express` or
 * `/fastify` below Nest has verified.
 *
 * @throws {AgentAssertionError} `config_invalid` if there is no agent: the handler is not guarded, or `onMissing` let a request without an assertion pass;
 * and in a context other than HTTP
 */
export function agentParameter(_data: unknown, context: NestExecutionContext): VerifiedAssertion {
  const agent = exchangeOf(context).findAgent();
  if (agent !== undefined) return agent;
  throw new AgentAssertionError("config_invalid", "this request was not verified", {
    hint: "guard this handler by agentGuard; with onMissing pass, take optionalAgentParameter",
  });
}

/** As {@link agentParameter}, with `undefined` for a request that carries no assertion, which `onMissing: "pass"` lets pass, or was not verified. */
export function optionalAgentParameter(
  _data: unknown,
  context: NestExecutionContext,
): VerifiedAssertion | undefined {
  return exchangeOf(context).findAgent();
}
