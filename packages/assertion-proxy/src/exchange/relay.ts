import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { TraceSpan } from "@countersign/agent-key/tracing";
import { endsWithEarlyAnswer } from "../body/discard-rest.js";
import { pumpBody } from "../body/pump-body.js";
import type { RequestBody } from "../body/request-body.js";
import { Watchdog } from "../body/watchdog.js";
import { announcedTrailers, keepFields, type RawFields } from "../head/raw-fields.js";
import type { RequestHead } from "../head/request-head.js";
import { REQUEST_ID_FIELD } from "../head/request-origin.js";
import { withoutSecrets } from "../head/secret-fields.js";
import { checkHandshakeAnswer } from "../head/websocket-handshake.js";
import { RequestRefusal } from "../refusal/request-refusal.js";
import { type AttemptContext, UpstreamAttempt } from "../upstream/upstream-attempt.js";
import {
  forwardedTrailers,
  forwardResponseHead,
  renderSwitch,
} from "../upstream/upstream-response.js";
import type { Admission, ProxyPolicy, Recovery } from "./admission.js";
import type { Delivery } from "./delivery.js";
import { tracedFields } from "./exchange-span.js";
import { otherFields } from "./other-fields.js";
import type { ProxyObserver } from "./proxy-metrics.js";
import { RefusedAnswer } from "./refused-answer.js";

/** What all requests of a proxy share. */
export interface RelayContext extends AttemptContext {
  readonly policy: ProxyPolicy;
  readonly observer?: ProxyObserver | undefined;
  /** Whether the proxy is to end: its answers then end the client's connection. */
  readonly isClosing: () => boolean;
}

/** One admitted request. */
export interface RelayInput {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly head: RequestHead;
  readonly body: RequestBody;
  readonly admission: Admission;
  /** Goes to the upstream, and with an answer that has none to the client. */
  readonly requestId: string;
  /** The span of the request, if spans are made: the upstream's are below it. */
  readonly span?: TraceSpan | undefined;
  /** Called with the head of each answer of the upstream. */
  readonly onUpstream: (status: number, fields: RawFields) => void;
  /** Called with the number of bytes of the upstream's answer that arrived. */
  readonly onBytes: (bytes: number) => void;
  /** Called once with the reason if the request cannot go on. */
  readonly onFailure: (error: unknown) => void;
  /** Takes the upstream's connection once it is a WebSocket, and the 101 head for the client, one character for each byte. */
  readonly onSwitch: (upstream: Socket, head: string) => void;
}

/**
 * Carries one admitted request to the upstream and its answer back: both bodies as they come, each side at the pace of the other. After a
 * 401 the request may go a second time, as its admission has it.
 */
export class Relay implements Delivery {
  readonly #context: RelayContext;
  readonly #input: RelayInput;
  readonly #watchdog: Watchdog;
  #attempt: UpstreamAttempt | undefined;
  #hasRecovered = false;
  #hasTrailers = false;
  #answered = false;
  #isStopped = false;
  // While another credential is asked for: ends that.
  #giveUp: (() => void) | undefined;

  constructor(context: RelayContext, input: RelayInput) {
    this.#context = context;
    this.#input = input;
    this.#watchdog = new Watchdog(() =>
      this.#fail(this.#refusal("timeout", "did not answer in time")),
    );
  }

  start(): void {
    const { head, body, admission } = this.#input;
    const { framing } = head;
    const most = admission.recovery?.maxBodyBytes ?? 0;
    if (framing.kind !== "length" || framing.length <= most) body.keep(most);
    this.#send(admission.fields);
  }

  /** Ends it. The upstream's connection is kept only if the request and its answer went through whole. */
  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#giveUp?.();
    this.#watchdog.stop();
    if (!this.#answered || this.#attempt?.isSent !== true) this.#attempt?.destroy();
  }

  #fail(error: unknown): void {
    if (!this.#isStopped) this.#input.onFailure(error);
  }

  #send(admitted: RawFields): void {
    const { request, head, body, admission, requestId, span } = this.#input;
    const fields = [...admitted, REQUEST_ID_FIELD, requestId];
    const trailerNames = announcedTrailers(request.rawHeaders).filter(admission.keepTrailer);
    this.#attempt = new UpstreamAttempt(
      this.#context,
      {
        ...{ request, head, body, trailerNames },
        fields: span === undefined ? fields : tracedFields(span, fields),
        trailers: () => this.#trailers(),
      },
      {
        watchdog: this.#watchdog,
        onResponse: (incoming) => this.#onResponse(incoming),
        onSwitch: (incoming, socket, early) => this.#onSwitch(incoming, socket, early),
        onRefused: (error) => this.#fail(error),
        onError: (error) => this.#onError(error),
      },
    );
  }

  /** Returns the client's trailers that may pass. @throws {RequestRefusal} as the policy's `checkNames` does */
  #trailers(): RawFields {
    const { request, admission } = this.#input;
    const leftOut = this.#context.policy.checkNames(request.rawTrailers);
    // Sent again after a 401, they are counted once.
    if (!this.#hasTrailers) this.#context.observer?.leftOut(leftOut);
    this.#hasTrailers = true;
    const { isSecret } = this.#context.policy;
    const trailers = isSecret ? withoutSecrets(request.rawTrailers, isSecret) : request.rawTrailers;
    return keepFields(trailers, ({ rawName }) => admission.keepTrailer(rawName));
  }

  #onResponse(incoming: IncomingMessage): void {
    if (this.#isStopped) return;
    this.#input.onUpstream(incoming.statusCode ?? 0, incoming.rawHeaders);
    const { recovery } = this.#input.admission;
    if (incoming.statusCode !== 401) recovery?.accepted();
    if (incoming.statusCode !== 401 || recovery === undefined || this.#hasRecovered) {
      this.#answer(incoming, []);
      return;
    }
    this.#hasRecovered = true;
    void this.#recover(new RefusedAnswer(incoming), recovery);
  }

  /** Asks for another credential after a 401, and sends the request once more under it; or hands the 401 up. */
  async #recover(refused: RefusedAnswer, recovery: Recovery): Promise<void> {
    const { body } = this.#input;
    const { incoming } = refused;
    this.#watchdog.stop();
    incoming.on("error", () => {});
    body.hold();
    const gaveUp = new AbortController();
    this.#giveUp = () => gaveUp.abort();
    try {
      const fields = await otherFields(refused, recovery, body, {
        waitMs: this.#context.limits.admitMs,
        signal: gaveUp.signal,
      });
      const attempt = this.#attempt;
      if (this.#isStopped || attempt === undefined) return;
      if (fields === undefined) {
        if (incoming.destroyed && !incoming.readableEnded) this.#onBrokenAnswer();
        else this.#answer(incoming, refused.start);
        attempt.resumeBody();
        return;
      }
      // A connection is used again only after all of its request and all of its answer.
      if (!attempt.isSent || !incoming.readableEnded) attempt.destroy();
      body.rewind();
      this.#send(fields());
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#giveUp = undefined;
    }
  }

  /** Sends the upstream's answer on. @param start - what was read of its body already */
  #answer(incoming: IncomingMessage, start: readonly Buffer[]): void {
    const { policy, limits, isClosing } = this.#context;
    const { request, response, head, body, requestId } = this.#input;
    const keep = policy.keepsAnswerField;
    try {
      const refusal = policy.judge?.(incoming.statusCode ?? 0, incoming.rawHeaders);
      if (refusal !== undefined) throw refusal;
      if (incoming.statusCode === 101) throw this.#uncalledSwitch();
      // A client that got no `100 Continue` may send its body or not, so the proxy cannot know where its next request begins.
      const isLast = head.expectsContinue && !body.isStarted;
      const close = isClosing() || isLast || endsWithEarlyAnswer(request);
      forwardResponseHead(incoming, response, { close, keep, requestId });
    } catch (error) {
      this.#fail(error);
      return;
    }
    // It is not sent again.
    body.forget();
    this.#watchdog.watch(limits.idleMs);
    const onEnd = (): void => {
      this.#answered = true;
      response.addTrailers(forwardedTrailers(incoming.rawTrailers, keep));
      response.end();
    };
    const count = this.#input.onBytes;
    for (const chunk of start) {
      count(chunk.length);
      response.write(chunk);
    }
    if (incoming.readableEnded) {
      onEnd();
      return;
    }
    incoming.on("error", () => this.#onBrokenAnswer());
    incoming.on("close", () => this.#onBrokenAnswer());
    const onProgress = (bytes: number): void => {
      this.#watchdog.touch();
      count(bytes);
    };
    pumpBody(incoming, response, { onProgress, onEnd });
    incoming.resume();
  }

  #onSwitch(incoming: IncomingMessage, socket: Socket, early: Buffer): void {
    const { policy } = this.#context;
    const { head, admission, requestId, onSwitch, onUpstream } = this.#input;
    let answer: string;
    // For the time until there is a tunnel, or none.
    socket.on("error", () => {});
    if (this.#isStopped) {
      socket.destroy();
      return;
    }
    onUpstream(101, incoming.rawHeaders);
    admission.recovery?.accepted();
    try {
      const refusal = policy.judge?.(101, incoming.rawHeaders);
      if (refusal !== undefined) throw refusal;
      if (head.websocket === undefined) throw this.#uncalledSwitch();
      const handshake = checkHandshakeAnswer(head.websocket, incoming.rawHeaders);
      answer = renderSwitch(incoming, handshake, { keep: policy.keepsAnswerField, requestId });
    } catch (error) {
      socket.destroy();
      this.#fail(error);
      return;
    }
    this.#answered = true;
    this.stop();
    if (early.length > 0) socket.unshift(early);
    onSwitch(socket, answer);
  }

  #uncalledSwitch(): Error {
    return this.#refusal("bad_response", "changed the protocol without being asked");
  }

  #onBrokenAnswer(): void {
    if (!this.#answered) this.#fail(this.#refusal("bad_response", "broke its answer off"));
  }

  #onError(error: Error & { readonly code?: unknown }): void {
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
