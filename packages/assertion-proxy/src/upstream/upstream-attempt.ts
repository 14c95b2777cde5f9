import type { ClientRequest, Agent as HttpAgent, IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { RequestBody } from "../body/request-body.js";
import type { Watchdog } from "../body/watchdog.js";
import type { RawFields } from "../head/raw-fields.js";
import type { RequestHead } from "../head/request-head.js";
import { sendHead, writeTogether } from "../head/send-head.js";
import type { ProxyLimits } from "../limits/proxy-limits.js";
import type { Upstream } from "./upstream.js";
import { openUpstreamRequest } from "./upstream-request.js";
import { trailerPairs } from "./upstream-response.js";

/** Where attempts go. */
export interface AttemptContext {
  readonly upstream: Upstream;
  readonly agent: HttpAgent;
  readonly limits: ProxyLimits;
}

/** What an attempt sends. */
export interface AttemptInput {
  readonly request: IncomingMessage;
  readonly head: RequestHead;
  readonly body: RequestBody;
  /** End-to-end fields, whole. */
  readonly fields: RawFields;
  /** Names that the client announced for its trailer section and that may pass. */
  readonly trailerNames: readonly string[];
  /**
   * Gives the trailers to send, once the body has ended.
   *
   * @throws {RequestRefusal} for a trailer section that is refused
   */
  readonly trailers: () => RawFields;
}

/** Called by an attempt. */
export interface AttemptEvents {
  /** Watches over the time that each step may take until there is an answer. */
  readonly watchdog: Watchdog;
  readonly onResponse: (incoming: IncomingMessage) => void;
  readonly onSwitch: (incoming: IncomingMessage, socket: Socket, early: Buffer) => void;
  /** The client's trailers are refused. The request was not sent whole, and must be ended. */
  readonly onRefused: (error: unknown) => void;
  /** There will be no answer. Not called once there is one, or after `destroy`. */
  readonly onError: (error: Error & { readonly code?: unknown }) => void;
}

/** Sends one admitted request to the upstream: its head at once, its body as it comes, or once the upstream asked for it. */
export class UpstreamAttempt {
  readonly #context: AttemptContext;
  readonly #input: AttemptInput;
  readonly #events: AttemptEvents;
  readonly #expectsContinue: boolean;
  readonly #hasTrailers: boolean;
  readonly #outgoing: ClientRequest;
  #continueTimer: NodeJS.Timeout | undefined;
  #isSendingBody = false;
  #isSent = false;
  #isOver = false;

  /** Dials, or takes an idle connection. */
  constructor(context: AttemptContext, input: AttemptInput, events: AttemptEvents) {
    this.#context = context;
    this.#input = input;
    this.#events = events;
    const { request, head, body, fields, trailerNames } = input;
    const framing = body.framing(head.framing);
    this.#hasTrailers = framing.kind === "chunked";
    this.#expectsContinue = head.expectsContinue && !body.isStarted;
    const outgoing = openUpstreamRequest(context.upstream, context.agent, {
      method: request.method ?? "",
      target: request.url ?? "",
      framing,
      fields,
      trailerNames: this.#hasTrailers ? trailerNames : [],
      expectContinue: this.#expectsContinue,
      websocket: head.websocket,
      maxHeaderBytes: context.limits.maxHeaderBytes,
    });
    this.#outgoing = outgoing;
    // A connection from the pool stands already.
    if (!outgoing.reusedSocket) events.watchdog.watch(context.limits.connectMs);
    outgoing
      .on("socket", (socket) => this.#onSocket(socket))
      .on("continue", () => this.#sendBody())
      .on("response", (incoming) => {
        this.#settle();
        events.onResponse(incoming);
      })
      .on("upgrade", (incoming, socket, early) => {
        this.#settle();
        events.onSwitch(incoming, socket, early);
      })
      .on("error", (error) => this.#onError(error))
      .on("close", () => this.#onError());
    if (framing.kind === "none") {
      outgoing.end();
      this.#isSent = true;
      return;
    }
    sendHead(outgoing);
    if (!this.#expectsContinue) this.#sendBody();
  }

  /** Whether the request went out whole. */
  get isSent(): boolean {
    return this.#isSent;
  }

  /** Goes on with a body that was held after it was begun. */
  resumeBody(): void {
    if (this.#isSendingBody && !this.#isSent) this.#pump();
  }

  /** Ends it, and its connection. */
  destroy(): void {
    this.#settle();
    this.#outgoing.destroy();
  }

  // With an answer on its way, how sending the rest of the request went matters no more.
  #settle(): void {
    this.#isOver = true;
    clearTimeout(this.#continueTimer);
  }

  #onSocket(socket: Socket): void {
    // Node writes what it has of the request after this.
    writeTogether(socket);
    const onConnected = (): void => {
      if (this.#isOver) return;
      this.#events.watchdog.watch(this.#context.limits.responseMs);
      if (!this.#expectsContinue) return;
      // RFC 9110 §10.1.1: a client does not wait for 100 for ever, because an upstream that does not support `Expect` sends none.
      this.#continueTimer = setTimeout(() => this.#sendBody(), this.#context.limits.continueMs);
    };
    if (!socket.connecting) onConnected();
    else if (this.#context.upstream.protocol === "https:")
      socket.once("secureConnect", onConnected);
    else socket.once("connect", onConnected);
  }

  #sendBody(): void {
    if (this.#isOver || this.#isSendingBody) return;
    this.#isSendingBody = true;
    clearTimeout(this.#continueTimer);
    this.#pump();
  }

  #pump(): void {
    const { body, trailers } = this.#input;
    body.sendTo(this.#outgoing, {
      onProgress: () => this.#events.watchdog.touch(),
      onEnd: () => {
        try {
          if (this.#hasTrailers) this.#outgoing.addTrailers(trailerPairs(trailers()));
        } catch (error) {
          this.#events.onRefused(error);
          return;
        }
        this.#outgoing.end();
        this.#isSent = true;
      },
    });
  }

  #onError(error?: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#events.onError(error ?? new Error("closed"));
  }
}
