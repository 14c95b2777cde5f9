import type { ClientRequest, Agent as HttpAgent, IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Admission, ProxyPolicy, Recovery } from "./admission.js";
import type { ProxyLimits } from "./proxy-limits.js";
import { pumpBody } from "./pump-body.js";
import { announcedTrailers, keepFields, type RawFields } from "./raw-fields.js";
import { RefusedAnswer } from "./refused-answer.js";
import type { RequestBody } from "./request-body.js";
import type { RequestHead } from "./request-head.js";
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
  readonly body: RequestBody;
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
  #sendingBody = false;
  #bodySent = false;
  #hasRecovered = false;
  #recovering: AbortController | undefined;
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
    const { head, body, admission } = this.#input;
    const { framing } = head;
    const most = admission.recovery?.maxBodyBytes ?? 0;
    if (framing.kind !== "length" || framing.length <= most) body.keep(most);
    this.#send(admission.fields);
  }

  #send(fields: RawFields): void {
    const { upstream, agent, limits } = this.#context;
    const { request, head, body, admission } = this.#input;
    const announced = announcedTrailers(request.rawHeaders);
    const expectContinue = head.expectsContinue && !body.isStarted;
    const outgoing = openUpstreamRequest(upstream, agent, {
      method: request.method ?? "",
      target: request.url ?? "",
      framing: head.framing,
      fields,
      trailerNames: [...announced].filter(admission.keepTrailer),
      expectContinue,
      websocket: head.websocket,
      maxHeaderBytes: limits.maxHeaderBytes,
    });
    this.#outgoing = outgoing;
    this.#answering = false;
    this.#sendingBody = false;
    this.#bodySent = false;
    this.#watchdog.watch(limits.connectMs);
    outgoing
      .on("socket", (socket) => this.#onSocket(socket, expectContinue))
      .on("continue", () => this.#sendBody())
      .on("response", (incoming) => this.#onResponse(incoming))
      .on("upgrade", (incoming, socket, early) => this.#onSwitch(incoming, socket, early))
      .on("error", (error) => this.#onError(outgoing, error))
      .on("close", () => this.#onError(outgoing, new Error("closed")));
    if (head.framing.kind === "none") {
      outgoing.end();
      this.#bodySent = true;
      return;
    }
    outgoing.flushHeaders();
    if (!expectContinue) this.#sendBody();
  }

  /** Ends it. The upstream's connection is kept only if the request and its answer went through whole. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#watchdog.stop();
    clearTimeout(this.#continueTimer);
    this.#recovering?.abort();
    if (!this.#answered || !this.#bodySent) this.#outgoing?.destroy();
  }

  #fail(error: unknown): void {
    if (!this.#stopped) this.#input.onFailure(error);
  }

  #onSocket(socket: Socket, expectContinue: boolean): void {
    const onConnected = (): void => {
      if (this.#stopped || this.#answering) return;
      this.#watchdog.watch(this.#context.limits.responseMs);
      if (!expectContinue) return;
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
    if (outgoing === undefined || this.#stopped || this.#answering || this.#sendingBody) return;
    clearTimeout(this.#continueTimer);
    this.#sendBodyTo(outgoing);
  }

  #sendBodyTo(outgoing: ClientRequest): void {
    this.#sendingBody = true;
    const { request, head, body, admission } = this.#input;
    body.sendTo(outgoing, {
      onProgress: () => this.#watchdog.touch(),
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
    const { recovery } = this.#input.admission;
    if (incoming.statusCode !== 401) recovery?.accepted();
    if (incoming.statusCode !== 401 || recovery === undefined || this.#hasRecovered) {
      this.#answer(incoming, []);
      return;
    }
    this.#hasRecovered = true;
    void this.#recover(new RefusedAnswer(incoming), recovery);
  }

  /** Sends the upstream's answer on. @param start - what was read of its body already */
  #answer(incoming: IncomingMessage, start: readonly Buffer[]): void {
    const { policy, limits, isClosing } = this.#context;
    const { response, head, body } = this.#input;
    try {
      const refusal = policy.judge?.(incoming.statusCode ?? 0, incoming.rawHeaders);
      if (refusal !== undefined) throw refusal;
      if (incoming.statusCode === 101) throw this.#uncalledSwitch();
      // A client that was never told to send its body may send it or not, and one that asked for a WebSocket may be speaking it already:
      // where its next request begins is unknown.
      const isLast = (head.expectsContinue && !body.isStarted) || head.websocket !== undefined;
      forwardResponseHead(incoming, response, isClosing() || isLast);
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.#watchdog.watch(limits.idleMs);
    const onEnd = (): void => {
      this.#answered = true;
      response.addTrailers(forwardedTrailers(incoming.rawTrailers));
      response.end();
    };
    for (const chunk of start) response.write(chunk);
    if (incoming.readableEnded) {
      onEnd();
      return;
    }
    incoming.on("error", () => this.#onBrokenAnswer());
    incoming.on("close", () => this.#onBrokenAnswer());
    pumpBody(incoming, response, { onProgress: () => this.#watchdog.touch(), onEnd });
    incoming.resume();
  }

  /** Asks for another credential after a 401, and sends the request once more under it; or hands the 401 up. */
  async #recover(refused: RefusedAnswer, recovery: Recovery): Promise<void> {
    const { body } = this.#input;
    const { incoming } = refused;
    this.#watchdog.stop();
    incoming.on("error", () => {});
    body.hold();
    try {
      const fields = await this.#otherFields(refused, recovery);
      const outgoing = this.#outgoing;
      if (this.#stopped || outgoing === undefined) return;
      if (fields === undefined) {
        if (incoming.destroyed && !incoming.readableEnded) this.#onBrokenAnswer();
        else this.#answer(incoming, refused.start);
        if (this.#sendingBody && !this.#bodySent) this.#sendBodyTo(outgoing);
        return;
      }
      // A connection is used again only after all of its request and all of its answer.
      if (!this.#bodySent || !incoming.readableEnded) outgoing.destroy();
      body.rewind();
      this.#send(fields());
    } catch (error) {
      this.#fail(error);
    }
  }

  /** @returns `undefined` also when it was not decided in time */
  async #otherFields(
    refused: RefusedAnswer,
    recovery: Recovery,
  ): Promise<(() => RawFields) | undefined> {
    const recovering = new AbortController();
    const { signal } = recovering;
    this.#recovering = recovering;
    const timer = setTimeout(() => recovering.abort(), this.#context.limits.admitMs);
    const decide = async (): Promise<(() => RawFields) | undefined> => {
      const fields = await recovery.refused(await refused.code(), signal);
      return fields !== undefined && (await this.#input.body.canRepeat()) ? fields : undefined;
    };
    const givenUp = new Promise<undefined>((resolve) => {
      signal.addEventListener("abort", () => resolve(undefined), { once: true });
    });
    try {
      return await Promise.race([decide(), givenUp]);
    } finally {
      clearTimeout(timer);
    }
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
    this.#input.admission.recovery?.accepted();
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

  #onError(outgoing: ClientRequest, error: Error & { readonly code?: unknown }): void {
    if (outgoing !== this.#outgoing) return;
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
