import type { IncomingMessage } from "node:http";
import type { Context, MiddlewareHandler, Next } from "hono";
import type { RequestFacts } from "../binding/request-facts.js";
import { checkMiddlewareOptions } from "../internal/options.js";
import type { AssertionVerifier } from "../verify/create-verifier.js";
import type { VerifiedAssertion } from "../verify/verified-assertion.js";
import { checkRequest } from "./check-request.js";
import { sourceOf } from "./client-address.js";
import {
  authorizationOf,
  fetchFieldLines,
  fetchHasBody,
  fetchTargetOf,
  isFetchRequest,
  putFetchBody,
  readFetchBody,
} from "./fetch-request.js";
import { authorizationLines } from "./field-lines.js";
import { FIELDS_OF_ANOTHER_ANSWER } from "./fields-of-another-answer.js";
import type { MiddlewareOptions } from "./middleware-options.js";
import { hasBody, targetOf } from "./node-request.js";
import { oncePerRequest } from "./once-per-request.js";
import { problemResponse } from "./problem-response.js";
import { requireCall } from "./require-call.js";

/** The environment of a Hono app behind {@link agentAssertion}: `new Hono<AgentEnv>()`. */
export interface AgentEnv {
  Variables: {
    /** Who sent the request. */
    agent: VerifiedAssertion;
  };
}

/** The environment of a Hono app behind {@link agentAssertion} with `onMissing: "pass"`. */
export interface OptionalAgentEnv {
  Variables: {
    /** Who sent the request; `undefined` if it carries no assertion. */
    agent: VerifiedAssertion | undefined;
  };
}

/** Options of {@link agentAssertion}. */
export interface AgentAssertionOptions extends MiddlewareOptions<Context> {
  /** The clock for the `Date` of refusals, epoch milliseconds. Default `Date.now`. */
  readonly now?: (() => number) | undefined;
}

/**
 * Makes a Hono middleware: requests whose assertion holds go on with `c.get("agent")`, all others are answered.
 *
 * On `@hono/node-server` field lines and target are taken as they came on the wire. Elsewhere they come from the runtime's `Request`: its URL
 * has been through a URL parser, so a request whose path is not in normal form cannot be bound. Install the middleware before anything that
 * reads bodies: it reads the body of a bound request, and puts it back for the next reader. It throws `config_invalid` if it is not called as Hono 4 does.
 *
 * @throws {AgentAssertionError} `config_invalid`, naming the option, if one is missing or wrong
 */
export function agentAssertion(
  options: AgentAssertionOptions & { readonly onMissing?: "refuse" | undefined },
): MiddlewareHandler<AgentEnv>;
export function agentAssertion(options: AgentAssertionOptions): MiddlewareHandler<OptionalAgentEnv>;
export function agentAssertion(options: AgentAssertionOptions): MiddlewareHandler {
  checkMiddlewareOptions(options);
  // Not an async function: see requireCall.
  return (c, next) => {
    requireCall(
      isHonoContext(c) && typeof next === "function",
      "agentAssertion was not called as by Hono",
      "use it with Hono 4, by app.use(agentAssertion({ verifier })); for other servers take the entry of that name",
    );
    return admit(c, next, options);
  };
}

function isHonoContext(c: unknown): boolean {
  const { req, set } = (c ?? {}) as Partial<Context>;
  return isFetchRequest(req?.raw) && typeof set === "function";
}

async function admit(c: Context, next: Next, options: AgentAssertionOptions) {
  const { verifier, clientAddress = remoteAddressOf, now = Date.now } = options;
  const key = incomingOf(c) ?? c.req;
  const checked = await checkRequest(options, c, () =>
    oncePerRequest(key, verifier, () => verify(c, verifier, sourceOf(clientAddress(c)))),
  );
  if (checked.kind === "refused") return refuse(c, checked.error, now());
  c.set("agent", checked.agent);
  return next();
}

function refuse(c: Context, error: unknown, now: number): Response {
  const answer = problemResponse(error, now);
  // Hono puts what was set before over what is returned.
  for (const name of [...answer.headers.keys(), ...FIELDS_OF_ANOTHER_ANSWER])
    c.res.headers.delete(name);
  return answer;
}

function remoteAddressOf(c: Context): string | undefined {
  return incomingOf(c)?.socket?.remoteAddress;
}

async function verify(
  c: Context,
  verifier: AssertionVerifier,
  source: string | undefined,
): Promise<VerifiedAssertion> {
  const incoming = incomingOf(c);
  const authorization = incoming
    ? authorizationLines(incoming)
    : authorizationOf(c.req.raw.headers);
  if (verifier.binding === undefined) return verifier.verify(authorization, { source });
  return verifier.verify(authorization, { source, request: factsOf(c, incoming) });
}

function factsOf(c: Context, incoming: IncomingMessage | undefined): RequestFacts {
  const request = c.req.raw;
  return {
    method: incoming?.method ?? request.method,
    target: incoming ? targetOf(incoming) : fetchTargetOf(request),
    rawHeaders: incoming ? incoming.rawHeaders : fetchFieldLines(request.headers),
    hasBody: incoming ? hasBody(incoming) : fetchHasBody(request),
    async body(maxBytes) {
      const body = await readFetchBody(request, maxBytes);
      c.req.raw = putFetchBody(request, body);
      return body;
    },
  };
}

/** Node's request, where `@hono/node-server` gives it to the app. */
function incomingOf(c: Context): IncomingMessage | undefined {
  const { incoming } = (c.env ?? {}) as { readonly incoming?: unknown };
  return isIncoming(incoming) ? incoming : undefined;
}

function isIncoming(value: unknown): value is IncomingMessage {
  return (
    typeof value === "object" &&
    value !== null &&
    "rawHeaders" in value &&
    Array.isArray(value.rawHeaders)
  );
}
