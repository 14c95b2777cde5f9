import type { ClientRequest, Agent as HttpAgent, IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Admission, ProxyPolicy } from "./admission.js";
import type { ProxyLimits } from "./proxy-limits.js";
import { pumpBody } from "./pump-body.js";
import { announcedTrailers, keepFields } from "./raw-fields.js";
import { bodyTooLarge, type RequestHead } from "./request-head.js";
import { RequestRefusal } from "./request-refusal.js";
import type { Upstream } from "./upstream.js";
import { openUpstreamRequest } from "./upstream-request.js";
import {
  forwardedTrailers,
  forwardResponseHead,
  forwardSwitch,
  trailerPairs,
} from "./upstream-response.js";
import { Watchdog } from "./watchdog.js";
import { checkHandshakeAnswer } from "./websocket-handshake.js";

/** What all requests of a proxy share. */
export interface RelayContext {
  readonly upstream: Upstream;
  readonly agent: HttpAgent;
  readonly limits: ProxyLimits;
  readonly policy: ProxyPolicy;
  /** Whether the proxy is about to end: clients are told to close. */
  readonly isClosing: () => boolean;
}

/** One admitted request. */
export interface RelayInput {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly head: RequestHead;
  readonly admission: Admission;
  /** Hears, once, why it cannot go on. */
  readonly onFailure: (error: unknown) => void;
  /** Takes the upstream's connection once it is a WebSocket's and the client was told so. */
  readonly onSwitch: (upstream: Socket) => void;
}

/** Carries one admitted request to the upstream and its answer back: both bodies as they come, each side at the pace of the other. */
export class Relay {
  readonly #context: RelayContext;
  readonly #input: RelayInput;
  readonly #watchdog: Watchdog;
  #outgoing: ClientRequest | undefined;
  #continueTimer: NodeJS.Timeout | undefined;
  #stopPump: (() => void) | undefined;
  #bodyBytes = 0;
  #bodyStarted = false;
  #bodySent = false;
  #answering = false;
  #answered = false;
  #stopped = false;

  constructor(context: RelayContext, input: RelayInput) {
    this.#context = context;
    this.#input = input;
    this.#watchdog = new Watchdog(() =>
      this.#fail(this.#refusal("timeout", "did not answer in time")),
    );
  }

  /** Dials, or takes an idle connection. */
  start(): void {
    const { upstream, agent, limits } = this.#context;
    const { request, head, admission } = this.#input;
    const announced = announcedTrailers(request.rawHeaders);
    const outgoing = openUpstreamRequest(upstream, agent, {
      method: request.method ?? "",
      target: request.url ?? "",
      framing: head.framing,
      fields: admission.fields,
      trailerNames: [...announced].filter(admission.keepTrailer),
      expectContinue: head.expectsContinue,
      websocket: head.websocket,
      maxHeaderBytes: limits.maxHeaderBytes,
    });
    this.#outgoing = outgoing;
    this.#watchdog.watch(limits.connectMs);
    outgoing
      .on("socket", (socket) => this.#onSocket(socket))
      .on("continue", () => this.#sendBody())
      .on("response", (incoming) => this.#onResponse(incoming))
      .on("upgrade", (incoming, socket, early) => this.#onSwitch(incoming, socket, early))
      .on("error", (error) => this.#onError(error))
      .on("close", () => this.#onError(new Error("closed")));
    if (head.framing.kind === "none") {
      outgoing.end();
      this.#bodySent = true;
      return;
    }
    outgoing.flushHeaders();
    if (!head.expectsContinue) this.#sendBody();
  }

  /** Ends it. The upstream's connection is kept only if the request and its answer went through whole. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#watchdog.stop();
    clearTimeout(this.#continueTimer);
    this.#stopPump?.();
    if (!this.#answered || !this.#bodySent) this.#outgoing?.destroy();
  }

  #fail(error: unknown): void {
    if (!this.#stopped) this.#input.onFailure(error);
  }

  #onSocket(socket: Socket): void {
    const onConnected = (): void => {
      if (this.#stopped || this.#answering) return;
      this.#watchdog.watch(this.#context.limits.responseMs);
      if (!this.#input.head.expectsContinue) return;
      // RFC 9110 §10.1.1: nobody waits for ever; an upstream that knows no expectations says nothing.
      this.#continueTimer = setTimeout(() => this.#sendBody(), this.#context.limits.continueMs);
    };
    if (!socket.connecting) onConnected();
    else if (this.#context.upstream.protocol === "https:")
      socket.once("secureConnect", onConnected);
    else socket.once("connect", onConnected);
  }

  #sendBody(): void {
    const outgoing = this.#outgoing;
    if (outgoing === undefined || this.#stopped || this.#answering || this.#bodyStarted) return;
    this.#bodyStarted = true;
    clearTimeout(this.#continueTimer);
    const { request, response, head, admission } = this.#input;
    if (head.expectsContinue) response.writeContinue();
    this.#stopPump = pumpBody(request, outgoing, {
      onProgress: (bytes) => {
        this.#watchdog.touch();
        this.#bodyBytes += bytes;
        if (this.#bodyBytes > this.#context.limits.maxBodyBytes) this.#fail(bodyTooLarge());
      },
      onEnd: () => {
        if (head.framing.kind === "chunked") {
          outgoing.addTrailers(
            trailerPairs(keepFields(request.rawTrailers, admission.keepTrailer)),
          );
        }
        outgoing.end();
        this.#bodySent = true;
      },
    });
  }

  #onResponse(incoming: IncomingMessage): void {
    if (this.#stopped) return;
    this.#answering = true;
    clearTimeout(this.#continueTimer);
    const { policy, limits, isClosing } = this.#context;
    const { response, head } = this.#input;
    try {
      const refusal = policy.judge?.(incoming.statusCode ?? 0, incoming.rawHeaders);
      if (refusal !== undefined) throw refusal;
      if (incoming.statusCode === 101) throw this.#uncalledSwitch();
      // A client that was never told to send its body may send it or not, and one that asked for a WebSocket may be speaking it already:
      // where its next request begins is unknown.
      const isLast = (head.expectsContinue && !this.#bodyStarted) || head.websocket !== undefined;
      forwardResponseHead(incoming, response, isClosing() || isLast);
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.#watchdog.watch(limits.idleMs);
    incoming.on("error", () => this.#onBrokenAnswer());
    incoming.on("close", () => this.#onBrokenAnswer());
    pumpBody(incoming, response, {
      onProgress: () => this.#watchdog.touch(),
      onEnd: () => {
        this.#answered = true;
        response.addTrailers(forwardedTrailers(incoming.rawTrailers));
        response.end();
      },
    });
  }

  #onSwitch(incoming: IncomingMessage, socket: Socket, early: Buffer): void {
    const { response, head, onSwitch } = this.#input;
    // For the time until there is a tunnel, or none.
    socket.on("error", () => {});
    if (this.#stopped) {
      socket.destroy();
      return;
    }
    this.#answering = true;
    try {
      const refusal = this.#context.policy.judge?.(101, incoming.rawHeaders);
      if (refusal !== undefined) throw refusal;
      if (head.websocket === undefined) throw this.#uncalledSwitch();
      forwardSwitch(incoming, response, checkHandshakeAnswer(head.websocket, incoming.rawHeaders));
    } catch (error) {
      socket.destroy();
      this.#fail(error);
      return;
    }
    this.#answered = true;
    this.stop();
    if (early.length > 0) socket.unshift(early);
    onSwitch(socket);
  }

  #uncalledSwitch(): Error {
    return this.#refusal("bad_response", "changed the protocol without being asked");
  }

  #onBrokenAnswer(): void {
    if (!this.#answered) this.#fail(this.#refusal("bad_response", "broke its answer off"));
  }

  #onError(error: Error & { readonly code?: unknown }): void {
    // With an answer on its way, how sending the rest of the request went matters no more.
    if (this.#answering) return;
    const unreadable = typeof error.code === "string" && error.code.startsWith("HPE_");
    this.#fail(
      unreadable
        ? this.#refusal("bad_response", "sent no HTTP answer", error)
        : this.#refusal("unreachable", "cannot be reached", error),
    );
  }

  #refusal(code: "timeout" | "unreachable" | "bad_response", what: string, cause?: Error): Error {
    return new RequestRefusal(code, `the upstream ${this.#context.upstream.name} ${what}`, {
      cause,
    });
  }
}
