import {
  createServer,
  type Agent as HttpAgent,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import type { Problem } from "@countersign/agent-assertion";
import { LONGEST_TIMER_MS, numberIn } from "@countersign/agent-key";
import { isLingering } from "../body/linger.js";
import { LingeringSockets } from "../body/lingering-sockets.js";
import type { ProxyPolicy } from "../exchange/admission.js";
import { type BrokenRequestError, refusalOfBroken } from "../exchange/broken-request.js";
import { Exchange } from "../exchange/exchange.js";
import type { ExchangeContext, ExchangeInput } from "../exchange/exchange-context.js";
import { LiveRecheck } from "../exchange/live-recheck.js";
import { OpenSet } from "../exchange/open-set.js";
import { problemOf, writeRawProblem } from "../exchange/problem-answer.js";
import type { ProxyObserver } from "../exchange/proxy-metrics.js";
import { UpgradeConnection } from "../exchange/upgrade-connection.js";
import { withoutUpgrade } from "../head/ignored-upgrade.js";
import { offersWebSocket } from "../head/websocket-handshake.js";
import { type ConnectionPlace, ConnectionPlaces } from "../limits/connection-places.js";
import { checkOption } from "../limits/option-checks.js";
import type { ProxyLimits } from "../limits/proxy-limits.js";
import { type ConnectionWork, type RequestPlace, RequestPlaces } from "../limits/request-places.js";
import { type Audit, writeAudit } from "../refusal/audit-entry.js";
import { RequestRefusal } from "../refusal/request-refusal.js";
import type { Upstream } from "../upstream/upstream.js";
import { type ListenOptions, listenOn, listenOnSocket } from "./listen-on.js";

/** Options of a proxy's `close`. */
export interface CloseOptions {
  /** Milliseconds that requests in work get to end by themselves. From 0, default 10,000. */
  readonly drainMs?: number | undefined;
}

/** What a proxy is made of. */
export interface ForwardingProxyOptions {
  readonly upstream: Upstream;
  readonly agent: HttpAgent;
  readonly limits: ProxyLimits;
  readonly policy: ProxyPolicy;
  readonly recheckMs: number;
  readonly audit: Audit | undefined;
  readonly observer?: ProxyObserver | undefined;
  readonly now: () => number;
}

/** What is known of a client's connection. */
interface Connection extends ConnectionWork {
  readonly exchanges: OpenSet<Exchange>;
  /** Absent on a server that is not the proxy's own. */
  place?: ConnectionPlace;
}

const DEFAULT_DRAIN_MS = 10_000;
const DRAIN_MS = numberIn(0, LONGEST_TIMER_MS);
// For the last answers to leave once the drain is over.
const FAREWELL_MS = 1_000;

/** The server that signing proxy and verifying gateway have in common: connections, exchanges, drain. The policy makes the difference. */
export class ForwardingProxy {
  readonly #options: ForwardingProxyOptions;
  readonly #context: ExchangeContext;
  readonly #server: Server;
  readonly #open = new OpenSet<Exchange>();
  readonly #places: RequestPlaces;
  readonly #connectionPlaces: ConnectionPlaces;
  readonly #bySocket = new WeakMap<Duplex, Connection>();
  readonly #lingering = new LingeringSockets();
  #closing: Promise<void> | undefined;
  #onIdle: (() => void) | undefined;

  constructor(options: ForwardingProxyOptions) {
    this.#options = options;
    this.#places = new RequestPlaces(options.limits);
    this.#connectionPlaces = new ConnectionPlaces(options.limits, (limit) =>
      options.observer?.limited(limit),
    );
    this.#context = {
      upstream: options.upstream,
      agent: options.agent,
      limits: options.limits,
      policy: options.policy,
      recheck: new LiveRecheck(options.recheckMs),
      audit: options.audit,
      observer: options.observer,
      now: options.now,
      isClosing: () => this.#closing !== undefined,
      takePlace: (request) => this.#takePlace(request),
    };
    this.#server = this.#createServer();
  }

  /** Serves one request of a Node server. */
  readonly handle = (request: IncomingMessage, response: ServerResponse): void => {
    this.#serve({ request, response });
  };

  /**
   * Serves one request for an upgrade of a Node server that is not the proxy's own. If it offers no WebSocket, it is refused and its connection
   * ends: that server's limits and routes would not hold for what the proxy parsed instead, and its parser may have dropped the fields that say
   * where the body ends.
   *
   * @param early - what came behind its head
   */
  readonly handleUpgrade = (request: IncomingMessage, duplex: Duplex, early: Buffer): void => {
    this.#serveUpgrade(request, duplex, early, (socket) => {
      const error = new RequestRefusal(
        "invalid_request",
        "Upgrade offers no WebSocket, and nothing else is served here: send the request without Upgrade",
      );
      this.#refuseRaw(socket, error, request.method ?? "", request.url ?? "");
    });
  };

  /**
   * Serves one request for an upgrade of the proxy's own server. What is offered beside a WebSocket is ignored: the request, and what follows
   * on its connection, is served as HTTP/1.1 then. Nothing is missing in the head, since the server drops no fields.
   */
  readonly #handleOwnUpgrade = (request: IncomingMessage, duplex: Duplex, early: Buffer): void => {
    this.#serveUpgrade(request, duplex, early, (socket) => {
      socket.unshift(withoutUpgrade(request, early));
      this.#server.emit("connection", socket);
    });
  };

  /** @param onOther - called if no WebSocket is offered */
  #serveUpgrade(
    request: IncomingMessage,
    duplex: Duplex,
    early: Buffer,
    onOther: (socket: Socket) => void,
  ): void {
    // Every server of Node's hands over the connection itself.
    const socket = duplex as Socket;
    if (this.#isBehindAnother(request, socket)) return;
    if (!offersWebSocket(request)) {
      onOther(socket);
      return;
    }
    const upgrade = new UpgradeConnection(request, socket, early, this.#lingering);
    this.#serve({ request, response: upgrade.response, upgrade });
  }

  #serve(input: ExchangeInput): void {
    const connection = this.#connectionOf(input.request.socket);
    let isVerified = false;
    const exchange = new Exchange(this.#context, input, {
      onVerified: () => {
        isVerified = true;
        connection.place?.began();
      },
      onEnd: () => {
        if (isVerified) connection.place?.ended();
        connection.exchanges.delete(exchange);
        this.#open.delete(exchange);
        if (this.#open.size === 0) this.#onIdle?.();
      },
    });
    connection.exchanges.add(exchange);
    this.#open.add(exchange);
    void exchange.run();
  }

  #takePlace(request: IncomingMessage): RequestPlace {
    const { policy } = this.#options;
    const share = policy.addressOf && { source: policy.addressOf(request) };
    return this.#places.take(this.#connectionOf(request.socket), share);
  }

  /** @throws {AssertionProxyError} `address_in_use`; `config_invalid` for an address that cannot be listened on */
  async listen(options: ListenOptions): Promise<{ url: string }> {
    return listenOn(this.#server, options);
  }

  /**
   * Listens on a Unix domain socket, which goes away with the proxy.
   *
   * @param path - a place for it where nothing is
   * @throws {AssertionProxyError} as {@link ForwardingProxy.listen} does
   */
  async listenOnSocket(path: string): Promise<void> {
    await listenOnSocket(this.#server, path);
  }

  /** Whether it listens and takes requests. */
  isReady(): boolean {
    return this.#server.listening && this.#closing === undefined;
  }

  async close({ drainMs = DEFAULT_DRAIN_MS }: CloseOptions = {}): Promise<void> {
    checkOption("drainMs", drainMs, DRAIN_MS);
    this.#closing ??= this.#close(drainMs);
    await this.#closing;
  }

  async #close(drainMs: number): Promise<void> {
    // Requests that were sent before this and not yet read are refused and not cut off: to Node their connections are idle.
    await readWhatWasSent();
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    await this.#idle(drainMs);
    for (const exchange of this.#open) {
      exchange.fail(new RequestRefusal("server_error", "the proxy ended"));
    }
    await readWhatWasSent();
    await this.#idle(FAREWELL_MS);
    this.#server.closeAllConnections();
    // It does not know those of upgrades and CONNECT.
    this.#lingering.destroy();
    await closed;
    this.#options.agent.destroy();
  }

  async #idle(longestMs: number): Promise<void> {
    if (this.#open.size === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, longestMs);
      this.#onIdle = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#onIdle = undefined;
  }

  #createServer(): Server {
    const { limits } = this.#options;
    const server = createServer({
      insecureHTTPParser: false,
      // Checked, and answered, with the rest of the head.
      requireHostHeader: false,
      maxHeaderSize: limits.maxHeaderBytes,
      headersTimeout: limits.requestHeadMs,
      // A body may take as long as it moves; what stands still is ended by the relay.
      requestTimeout: 0,
      connectionsCheckingInterval: Math.min(limits.requestHeadMs, 10_000),
    });
    // Bounded by its bytes; Node's own bound on the number would drop fields in silence.
    server.maxHeadersCount = 0;
    server.on("connection", (socket) => this.#onConnection(socket));
    server.on("request", this.handle);
    // Without these two Node answers `Expect` by itself, before anything was verified.
    server.on("checkContinue", this.handle);
    server.on("checkExpectation", this.handle);
    server.on("upgrade", this.#handleOwnUpgrade);
    server.on("connect", (request: IncomingMessage, socket: Duplex) => {
      if (this.#isBehindAnother(request, socket as Socket)) return;
      const error = new RequestRefusal("invalid_request", "the method CONNECT is not served");
      this.#refuseRaw(socket as Socket, error, request.method ?? "", request.url ?? "");
    });
    // Every server of Node's hands over the connection itself.
    server.on("clientError", (error, socket) => this.#onClientError(error, socket as Socket));
    return server;
  }

  #onConnection(socket: Socket): void {
    const { policy } = this.#options;
    // One that comes back after an ignored upgrade has its place.
    if (policy.connectionAddressOf === undefined || this.#bySocket.has(socket)) return;
    const place = this.#connectionPlaces.add(socket, policy.connectionAddressOf(socket));
    if (place !== undefined) this.#connectionOf(socket).place = place;
  }

  #onClientError(error: BrokenRequestError, socket: Socket): void {
    const refusal = refusalOfBroken(error);
    if (refusal === undefined) {
      socket.destroy();
      return;
    }
    if (isLingering(socket)) return;
    const exchanges = [...(this.#bySocket.get(socket)?.exchanges ?? [])];
    const exchange = exchanges.at(-1);
    if (exchange === undefined) {
      this.#refuseRaw(socket, refusal, "", "");
    } else {
      // What is broken is the body of the last request on this connection, or what follows it.
      exchange.fail(refusal, { close: true });
      if (exchanges.length > 1) socket.destroy();
    }
  }

  /**
   * Ends the connection if its request, for which Node's server hands the connection over, was sent before the previous request was answered:
   * the client would read an answer to this request as the answer to the previous one.
   */
  #isBehindAnother(request: IncomingMessage, socket: Socket): boolean {
    if (this.#connectionOf(socket).exchanges.size === 0) return false;
    const { method = "", url = "" } = request;
    const error = new RequestRefusal("invalid_request", `${method} was sent behind a request`);
    socket.on("error", () => {});
    this.#auditRefused(error, method, url);
    socket.destroy();
    return true;
  }

  #refuseRaw(socket: Socket, refusal: RequestRefusal, method: string, url: string): void {
    socket.on("error", () => socket.destroy());
    writeRawProblem(socket, this.#auditRefused(refusal, method, url), this.#options.now());
    this.#lingering.add(socket);
  }

  #auditRefused(refusal: RequestRefusal, method: string, url: string): Problem {
    const now = this.#options.now();
    const { code, problem } = problemOf(refusal);
    this.#options.observer?.refusedUnread({ method, status: problem.status, code, ms: 0 });
    const { audit, policy } = this.#options;
    const start = { startedAt: now, method, url };
    const end = { endedAt: now, status: problem.status, code, identity: undefined };
    writeAudit({ audit, isSecret: policy.isSecret }, start, end);
    return problem;
  }

  #connectionOf(socket: Socket): Connection {
    const known = this.#bySocket.get(socket);
    if (known !== undefined) return known;
    const connection: Connection = { exchanges: new OpenSet<Exchange>(), inWork: 0 };
    this.#bySocket.set(socket, connection);
    socket.once("close", () => {
      for (const exchange of connection.exchanges) exchange.clientGone();
    });
    return connection;
  }
}

// A turn of the event loop reads every connection that has something to read; the first one may be past that already.
async function readWhatWasSent(): Promise<void> {
  await turn();
  await turn();
}
