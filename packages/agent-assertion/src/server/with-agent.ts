import type { OptionShape } from "@countersign/agent-key";
import type { RequestFacts } from "../binding/request-facts.js";
import { checkMiddlewareOptions, checkOption } from "../internal/options.js";
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
import type { MiddlewareOptions } from "./middleware-options.js";
import { problemResponse } from "./problem-response.js";
import { requireCall } from "./require-call.js";

const HANDLER: OptionShape = {
  type: "function",
  expected: "a function that takes request and agent, and returns a Response",
};

/** Handles a request whose agent is known. `rest` is what the server gives a handler beside the request: a context, an environment. */
export type AgentRequestHandler<Rest extends readonly unknown[], Agent = VerifiedAssertion> = (
  request: Request,
  agent: Agent,
  ...rest: Rest
) => Response | Promise<Response>;

/** Options of {@link withAgent}. */
export interface WithAgentOptions<Rest extends readonly unknown[] = readonly unknown[]>
  extends Omit<MiddlewareOptions<Request>, "verifier" | "clientAddress"> {
  /**
   * Gives the client's address, by which lookups of agents that are not known yet are shared out; of what the server gives beside the request, for
   * instance: `(_, info) => info.remoteAddr.hostname` with `Deno.serve`. Default: none, and all clients share one place.
   */
  readonly clientAddress?: ((request: Request, ...rest: Rest) => string | undefined) | undefined;
  /** The clock for the `Date` of refusals, epoch milliseconds. Default `Date.now`. */
  readonly now?: (() => number) | undefined;
}

/**
 * Makes a handler from `Request` to `Response`, as route handlers of Next.js and SvelteKit, `Deno.serve`, `Bun.serve` and Workers have it: it calls the
 * given one with who sent the request, and answers every other request itself.
 *
 * The URL of such a request has been through a URL parser: a path that is not in normal form cannot be bound. A bound request's body is read
 * here, up to the verifier's `maxBodyBytes`; the handler gets another request that has it still, in Next.js one without the members of `NextRequest`.
 *
 * Two `Authorization` lines are seen if the server joins them, as `Headers` does. Next.js, and SvelteKit on Node, hand on the first alone.
 *
 * The handler that is made throws `config_invalid` if its first argument is not a `Request`.
 *
 * @throws {AgentAssertionError} `config_invalid`, naming the argument or the option, if one is missing or wrong
 * @see protocol.md §7, §8
 */
export function withAgent<Rest extends readonly unknown[] = []>(
  verifier: AssertionVerifier,
  handler: AgentRequestHandler<Rest>,
  options?: WithAgentOptions<Rest> & { readonly onMissing?: "refuse" | undefined },
): (request: Request, ...rest: Rest) => Promise<Response>;
export function withAgent<Rest extends readonly unknown[] = []>(
  verifier: AssertionVerifier,
  handler: AgentRequestHandler<Rest, VerifiedAssertion | undefined>,
  options: WithAgentOptions<Rest>,
): (request: Request, ...rest: Rest) => Promise<Response>;
export function withAgent<Rest extends readonly unknown[] = []>(
  verifier: AssertionVerifier,
  // The first form is called with an agent alone.
  handler: AgentRequestHandler<Rest, never>,
  options: WithAgentOptions<Rest> = {},
): (request: Request, ...rest: Rest) => Promise<Response> {
  checkMiddlewareOptions({ ...options, verifier });
  checkOption("handler", handler, HANDLER);
  const { clientAddress, now = Date.now } = options;
  const answer = async (request: Request, ...rest: Rest): Promise<Response> => {
    const bound = new BoundRequest(request);
    const checked = await checkRequest(options, request, async () =>
      verifier.verify(authorizationOf(request.headers), {
        signal: request.signal,
        source: sourceOf(clientAddress?.(request, ...rest)),
        ...(verifier.binding === undefined ? {} : { request: bound }),
      }),
    );
    if (checked.kind === "refused") return problemResponse(checked.error, now());
    return handler(bound.whole, checked.agent as never, ...rest);
  };
  // Not an async function: see requireCall.
  return (request, ...rest) => {
    requireCall(
      isFetchRequest(request),
      "the handler of withAgent was not called with a Request",
      "give it the Request of an event as its first argument; for Node's request and response take requireAgent of /node",
    );
    return answer(request, ...rest);
  };
}

/** A Fetch request as its signature is compared with. */
class BoundRequest implements RequestFacts {
  /** The request with its body, also once that was read here. */
  whole: Request;
  readonly method: string;
  readonly target: string;
  readonly hasBody: false | undefined;

  constructor(request: Request) {
    this.whole = request;
    this.method = request.method;
    this.target = fetchTargetOf(request);
    this.hasBody = fetchHasBody(request);
  }

  get rawHeaders(): readonly string[] {
    return fetchFieldLines(this.whole.headers);
  }

  async body(maxBytes: number): Promise<Uint8Array> {
    const body = await readFetchBody(this.whole, maxBytes);
    this.whole = putFetchBody(this.whole, body);
    return body;
  }
}
