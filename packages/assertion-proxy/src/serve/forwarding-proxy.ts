import { chmod } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { Server as NetServer, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { setTimeout as timeout, setImmediate as turn } from "node:timers/promises";
import { LONGEST_TIMER_MS, numberIn } from "@countersign/agent-key";
import { isLingering } from "../body/linger.js";
import { LingeringSockets } from "../body/lingering-sockets.js";
import type { ProxyPolicy } from "../exchange/admission.js";
import { type BrokenRequestError, refusalOfBroken } from "../exchange/broken-request.js";
import { DecisionAnswer } from "../exchange/decision-answer.js";
import { Exchange } from "../exchange/exchange.js";
import type { ExchangeContext, ExchangeInput } from "../exchange/exchange-context.js";
import { LiveRecheck } from "../exchange/live-recheck.js";
import { OpenSet } from "../exchange/open-set.js";
import { type ProblemAnswer, problemOf, writeRawProblem } from "../exchange/problem-answer.js";
import type { ProxyObserver } from "../exchange/proxy-metrics.js";
import { Relay, type RelayContext } from "../exchange/relay.js";
import { UpgradeConnection } from "../exchange/upgrade-connection.js";
import { withoutUpgrade } from "../head/ignored-upgrade.js";
import { readOrigin, unreadOrigin } from "../head/request-origin.js";
import { offersWebSocket } from "../head/websocket-handshake.js";
import { type ConnectionPlace, ConnectionPlaces } from "../limits/connection-places.js";
import { checkOption } from "../limits/option-checks.js";
import type { ProxyLimits } from "../limits/proxy-limits.js";
import { type ConnectionWork, type RequestPlace, RequestPlaces } from "../limits/request-places.js";
import { type Audit, writeAudit } from "../refusal/audit-entry.js";
import { RequestRefusal } from "../refusal/request-refusal.js";
import { type ListenOptions, listenOn, listenOnSocket } from "./listen-on.js";
import { prepareSocketPath } from "./unix-socket.js";

/** Options of a proxy's `close`. */
export interface CloseOptions {
  /**
   * Milliseconds from the call, at which `isReady` becomes false, until new connections are refused; so that load balancers see it before. All
   * requests are served until then, and each answer ends its connection. For at most as long again connections that are still there are
   * served in the same way. From 0, default 0: new connections and new requests are refused at once.
   */
  readonly delayMs?: number | undefined;
  /** Milliseconds that requests in work get to end by themselves. From 0, default 10,000. */
  readonly drainMs?: number | undefined;
}

/** What a proxy is made of. */
export interface ForwardingProxyOptions {
  /** Where admitted requests go. Absent: they are answered with what their admission says, for a gateway that asked. */
  readonly destination: Pick<RelayContext, "upstream" | "agent"> | undefined;
  readonly limits: ProxyLimits;
  readonly policy: ProxyPolicy;
  readonly recheckMs: number;
  readonly audit: Audit | undefined;
  readonly canAudit: (() => boolean) | undefined;
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
const DELAY_MS = numberIn(0, LONGEST_TIMER_MS);
// For the last answers to leave once the drain is over.
const FAREWELL_MS = 1_000;
// So long without another connection: none is on its way from the system.
const QUIET_MS = 10;

/** The server that signing proxy, verifying gateway and authorizer have in common: connections, exchanges, drain. The policy makes the difference. */
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
  // The delay is over: new requests are refused.
  #isEnding = false;
  /** Connections so far. */
  #accepted = 0;
  #onIdle: (() => void) | undefined;

  constructor(options: ForwardingProxyOptions) {
    this.#options = options;
    this.#places = new RequestPlaces(options.limits);
    this.#connectionPlaces = new ConnectionPlaces(options.limits, (limit) =>
      options.observer?.limited(limit),
    );
    const { destination } = options;
    let relayed: RelayContext | undefined;
    this.#context = {
      deliver: (input) =>
        relayed === undefined
          ? new DecisionAnswer(input, this.#context.isClosing)
          : new Relay(relayed, input),
      limits: options.limits,
      policy: options.policy,
      recheck: new LiveRecheck(options.recheckMs),
      audit: options.audit,
      canAudit: options.canAudit ?? (() => true),
      observer: options.observer,
      now: options.now,
      isClosing: () => this.#closing !== undefined,
      isEnding: () => this.#isEnding,
      takePlace: (request) => this.#takePlace(request),
    };
    relayed = destination && { ...this.#context, ...destination };
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
      this.#refuseRaw(socket, error, request);
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
   * Listens on a Unix domain socket that this user alone can reach, and which goes away with the proxy.
   *
   * @throws {AssertionProxyError} as {@link prepareSocketPath} and {@link ForwardingProxy.listen} do
   */
  async listenOnSocket(path: string): Promise<{ url: string }> {
    await prepareSocketPath(path);
    await listenOnSocket(this.#server, path);
    // Until here the directory alone keeps others out.
    await chmod(path, 0o600);
    return { url: `unix:${path}` };
  }

  /** Lets the process end although this listens. */
  unref(): void {
    this.#server.unref();
  }

  /** Whether it listens and takes requests. */
  isReady(): boolean {
    const isOpen = this.#server.listening && this.#closing === undefined;
    return isOpen && this.#context.canAudit();
  }

  async close({ delayMs = 0, drainMs = DEFAULT_DRAIN_MS }: CloseOptions = {}): Promise<void> {
    checkOption("delayMs", delayMs, DELAY_MS);
    checkOption("drainMs", drainMs, DRAIN_MS);
    this.#closing ??= this.#close(delayMs, drainMs);
    await this.#closing;
  }

  async #close(delayMs: number, drainMs: number): Promise<void> {
    // A server of another's does not stop listening here, so nothing would be waited for.
    if (delayMs > 0 && this.#server.listening) {
      await timeout(delayMs);
      await this.#refuseConnections(delayMs);
    }
    this.#isEnding = true;
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
    this.#options.destination?.agent.destroy();
  }

  /** Takes no more connections, and waits for those that are there. A proxy in front may send on them until it is told to end them. */
  async #refuseConnections(longestMs: number): Promise<void> {
    const endsAt = performance.now() + longestMs;
    await this.#acceptWaiting(longestMs / 2);
    const over = new AbortController();
    const gone = new Promise<void>((resolve) => {
      // The method of HTTP's server also closes the idle ones: a request that is on its way on one of them would be lost.
      NetServer.prototype.close.call(this.#server, () => resolve());
    });
    const leftMs = Math.max(endsAt - performance.now(), 1);
    const longest = timeout(leftMs, undefined, { signal: over.signal }).catch(() => undefined);
    await Promise.race([gone, longest]);
    over.abort();
  }

  /**
   * Accepts the connections that the system has made and that wait for this process, until no more come for a while. With the listener
   * they would be cut off, and their requests lost: a busy process has some at any time, and so has the system of a busy machine.
   */
  async #acceptWaiting(longestMs: number): Promise<void> {
    const endsAt = performance.now() + longestMs;
    for (let seen = -1; seen !== this.#accepted && performance.now() < endsAt; ) {
      seen = this.#accepted;
      await timeout(QUIET_MS);
    }
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
    // Without a destination there is no WebSocket to open: Node then serves the request that asks for one as any other.
    if (this.#options.destination !== undefined) server.on("upgrade", this.#handleOwnUpgrade);
    server.on("connect", (request: IncomingMessage, socket: Duplex) => {
      if (this.#isBehindAnother(request, socket as Socket)) return;
      const error = new RequestRefusal("invalid_request", "the method CONNECT is not served");
      this.#refuseRaw(socket as Socket, error, request);
    });
    // Every server of Node's hands over the connection itself.
    server.on("clientError", (error, socket) => this.#onClientError(error, socket as Socket));
    return server;
  }

  #onConnection(socket: Socket): void {
    this.#accepted += 1;
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
      this.#refuseRaw(socket, refusal);
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
    const { method = "" } = request;
    const error = new RequestRefusal("invalid_request", `${method} was sent behind a request`);
    socket.on("error", () => {});
    this.#auditRefused(error, socket, request);
    socket.destroy();
    return true;
  }

  /** @param request - absent: what arrived could not be read as one */
  #refuseRaw(socket: Socket, refusal: RequestRefusal, request?: IncomingMessage): void {
    socket.on("error", () => socket.destroy());
    writeRawProblem(socket, this.#auditRefused(refusal, socket, request), this.#options.now());
    this.#lingering.add(socket);
  }

  #auditRefused(
    refusal: RequestRefusal,
    socket: Socket,
    request: IncomingMessage | undefined,
  ): ProblemAnswer {
    const { audit, observer, policy } = this.#options;
    const now = this.#options.now();
    const { code, problem } = problemOf(refusal);
    const { status, body } = problem;
    const { method = "", url = "" } = request ?? {};
    observer?.refusedUnread({ method, status, code, ms: 0 });
    const origin = request ? readOrigin(request, policy.isSecret) : unreadOrigin(socket);
    const start = { startedAt: now, method, url, origin };
    const bytes = { bytesIn: 0, bytesOut: Buffer.byteLength(body) };
    const end = { endedAt: now, status, code, identity: undefined, ...bytes };
    writeAudit({ audit, isSecret: policy.isSecret }, start, end);
    return { problem, requestId: origin.requestId };
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
