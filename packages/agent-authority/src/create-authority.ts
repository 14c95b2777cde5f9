import type { IncomingMessage, RequestListener, Server, ServerResponse } from "node:http";
import { setImmediate as turn } from "node:timers/promises";
import { isTrustedProxy, type TrustedProxies } from "@countersign/agent-assertion/client-address";
import { LONGEST_TIMER_MS } from "@countersign/agent-key";
import type { FastifyInstance } from "fastify";
import { AgentAuthorityError } from "./agent-authority-error.js";
import { checkAuthorityOptions } from "./authority-options.js";
import type {
  Authority,
  AuthorityOptions,
  ListenAdminOptions,
  ListenOptions,
} from "./authority-types.js";
import type { AuthorityContext } from "./http/authority-context.js";
import { createLimitedServer } from "./http/create-server.js";
import { isAnswering } from "./http/is-answering.js";
import { type PathsByLoad, pathsByLoad } from "./http/listener.js";
import { observeRequest } from "./http/observe-request.js";
import { OpenRequests } from "./http/open-requests.js";
import { REQUEST_ID_HEADER, readOrigin } from "./http/request-origin.js";
import { beginRequest } from "./http/request-state.js";
import { routedPath } from "./http/routed-path.js";
import { type CodedProblem, createBusyProblem, createRequestProblem } from "./http/to-problem.js";
import { writeProblem } from "./http/write-problem.js";
import { addressSubject } from "./limits/limit-subject.js";
import { LoadGate, type ShedReason } from "./limits/load-gate.js";
import type { ServerLimits } from "./limits/server-limits.js";
import { listenOn, urlOf } from "./listen.js";
import type { Registry } from "./operations/registry-types.js";
import { createRegistry } from "./registry/create-registry.js";
import { readStoreFigures } from "./store/store-figures.js";

const DRAIN_MS = 10_000;
// Also where the server is the caller's own, whose parser may have dropped lines beyond a bound that is higher.
const MAX_HEADER_LINES = 100;
const LATE_MS = 2_000;

/**
 * Makes an authority over a store: it registers agents and tasks for clients of every generation, and answers for them to resource
 * servers. All state is in the store; any number of authorities and operators may work on one.
 *
 * @throws {AgentAuthorityError} `config_invalid` when an option is out of its range
 * @throws {AgentKeyError} `config_invalid` when `publicUrl` is no base URL, or plain http to another machine
 * @see protocol.md §5
 */
export async function createAuthority(options: AuthorityOptions): Promise<Authority> {
  const context = checkAuthorityOptions(options);
  const { generations, agentTtlSeconds, maxLiveAgents, accountLimits, humans } = options;
  const registry = createRegistry(context.store, {
    now: context.now,
    generations,
    agentTtlSeconds,
    maxLiveAgents,
    accountLimits,
    humans,
  });
  // Only who serves needs the HTTP framework; who operates a store does not wait for it.
  const [{ createRouter }, { publicListener }] = await Promise.all([
    import("./http/create-router.js"),
    import("./http/public-listener.js"),
  ]);
  const { observer, store } = context;
  if (observer !== undefined) {
    store.events.observer = observer;
    if (store.events.readPool !== undefined) observer.watchPool(store.events.readPool);
    observer.watchStore(readStoreFigures(store));
  }
  const listener = publicListener(context);
  const router = await createRouter(context, listener);
  return new RunningAuthority(context, registry, router, pathsByLoad(listener));
}

class RunningAuthority implements Authority {
  readonly registry: Registry;
  readonly #context: AuthorityContext;
  readonly #router: FastifyInstance;
  readonly #paths: PathsByLoad;
  readonly #adminRouters = new Set<FastifyInstance>();
  readonly #servers = new Set<Server>();
  readonly #gate: LoadGate;
  readonly #openRequests = new OpenRequests();
  #closed: Promise<void> | undefined;

  constructor(
    context: AuthorityContext,
    registry: Registry,
    router: FastifyInstance,
    paths: PathsByLoad,
  ) {
    this.#context = context;
    this.registry = registry;
    this.#router = router;
    this.#paths = paths;
    this.#gate = new LoadGate(context.limits);
  }

  // A property, so that it can be handed to a server as it is.
  readonly handler = (request: IncomingMessage, response: ServerResponse): void => {
    const isProbe = request.method === "GET" && this.#paths.probes.has(request.url ?? "");
    this.#answer(this.#router, request, response, isProbe ? undefined : this.#gate);
  };

  #answer(
    router: FastifyInstance,
    request: IncomingMessage,
    response: ServerResponse,
    gate?: LoadGate,
  ): void {
    // The clock that timestamps are compared with, so that a client learns its offset from it (protocol §10).
    response.setHeader("date", new Date(this.#context.now()).toUTCString());
    const { limits, trustedProxies } = this.#context;
    const state = beginRequest(request, readOrigin(request, trustedProxies));
    const { requestId, address } = state.origin;
    response.setHeader(REQUEST_ID_HEADER, requestId);
    this.#openRequests.add(request, response, answerMs(limits));
    const shedFor = gate?.enter(
      response,
      holderOf(address, trustedProxies),
      this.#paths.shedFirst.has(routedPath(request.url ?? "")),
    );
    observeRequest(this.#context, state, request, response, () => {
      const refusal = this.#refusalOf(request, response, shedFor);
      if (refusal === undefined) {
        router.routing(request, response);
        return;
      }
      state.refusalCode = refusal.code;
      writeProblem(response, refusal);
    });
  }

  // What is refused before the router sees it.
  #refusalOf(
    request: IncomingMessage,
    response: ServerResponse,
    shedFor: ShedReason | undefined,
  ): CodedProblem | undefined {
    if (this.#closed !== undefined) {
      response.setHeader("connection", "close");
      return createBusyProblem("the authority is closing");
    }
    if (shedFor !== undefined) {
      this.#context.observer?.shed(shedFor);
      // Node drops the body as it arrives, and the connection stays: to make another would cost more.
      return createBusyProblem("the authority has too much to do");
    }
    if (request.headers.host === undefined && request.httpVersion !== "1.0") {
      return createRequestProblem(400, "the request has no Host header");
    }
    if (request.rawHeaders.length > 2 * MAX_HEADER_LINES) {
      response.setHeader("connection", "close");
      return createRequestProblem(431);
    }
    if (isUnmetExpectation(request.headers.expect)) {
      response.setHeader("connection", "close");
      request.resume();
      return createRequestProblem(417);
    }
    return undefined;
  }

  listen(options: ListenOptions): Promise<{ readonly url: string }> {
    return this.#listen(this.handler, options);
  }

  async listenAdmin(options: ListenAdminOptions): Promise<{ readonly url: string }> {
    const [{ createRouter }, { adminListener }] = await Promise.all([
      import("./http/create-router.js"),
      import("./http/admin/admin-listener.js"),
    ]);
    const router = await createRouter(this.#context, adminListener(options));
    this.#adminRouters.add(router);
    const handler: RequestListener = (request, response) => this.#answer(router, request, response);
    return await this.#listen(handler, options);
  }

  async #listen(
    handler: RequestListener,
    options: ListenOptions,
  ): Promise<{ readonly url: string }> {
    if (this.#closed !== undefined) throw closing();
    const { logger, observer } = this.#context;
    const server = createLimitedServer(handler, {
      ...this.#context,
      onRefusal(refusal) {
        const { status, code } = refusal;
        observer?.refusedUnread({ method: "", route: undefined, status, code, ms: 0 });
        logger?.info({ method: undefined, path: "", ms: 0, ...refusal }, "request");
      },
    });
    await listenOn(server, options);
    this.#servers.add(server);
    return { url: urlOf(server) };
  }

  async isReady(): Promise<boolean> {
    return this.#closed === undefined && (await isAnswering(this.#context.store));
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    // Requests that were sent before this and not yet read are refused and not cut off: to Node their connections are idle. A turn of the
    // event loop reads them; the first one may be past that already.
    await turn();
    await turn();
    const stopped = [...this.#servers].map(stop);
    await this.#openRequests.drained(DRAIN_MS);
    for (const server of this.#servers) server.closeAllConnections();
    await Promise.all(stopped);
    this.#gate.close();
    await Promise.all([this.#router, ...this.#adminRouters].map((router) => router.close()));
  }
}

// A trusted proxy that names no client address is not limited as one client, because it passes on the requests of many.
function holderOf(address: string | undefined, proxies: TrustedProxies): string | undefined {
  if (address === undefined || isTrustedProxy(address, proxies)) return undefined;
  return addressSubject(address).name;
}

// As long again as the request itself may take to arrive. What does not arrive is answered before that, if a little late.
function answerMs({ requestMs }: ServerLimits): number {
  return Math.min(2 * requestMs + LATE_MS, LONGEST_TIMER_MS);
}

// The one that there is (RFC 9110 §10.1.1), which Node meets by itself.
function isUnmetExpectation(expectation: string | undefined): boolean {
  return expectation !== undefined && expectation.toLowerCase() !== "100-continue";
}

function stop(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
}

function closing(): AgentAuthorityError {
  return new AgentAuthorityError("server_error", "the authority is closing", { retryable: true });
}
