import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Code } from "@countersign/agent-key";
import { isRequestId } from "@countersign/agent-key/redaction";
import type { TraceSpan } from "@countersign/agent-key/tracing";
import { discardRest, endsWithEarlyAnswer } from "../body/discard-rest.js";
import { RequestBody } from "../body/request-body.js";
import { Watchdog } from "../body/watchdog.js";
import { fieldValues, type RawFields } from "../head/raw-fields.js";
import { checkRequestHead, type RequestHead } from "../head/request-head.js";
import { REQUEST_ID_FIELD, readOrigin } from "../head/request-origin.js";
import { withoutSecrets } from "../head/secret-fields.js";
import type { RequestPlace } from "../limits/request-places.js";
import {
  type AuditEnd,
  type AuditIdentity,
  type AuditStart,
  CLIENT_GONE_STATUS,
  type UpstreamAnswered,
  writeAudit,
} from "../refusal/audit-entry.js";
import { RequestRefusal } from "../refusal/request-refusal.js";
import type { Admission } from "./admission.js";
import type { Delivery } from "./delivery.js";
import type { ExchangeContext, ExchangeEvents, ExchangeInput } from "./exchange-context.js";
import { endExchangeSpan, startExchangeSpan, traceparentOf } from "./exchange-span.js";
import type { Rechecked } from "./live-recheck.js";
import { answerProblem, breakOff, problemOf } from "./problem-answer.js";
import { Tunnel } from "./tunnel.js";
import type { UpgradeConnection } from "./upgrade-connection.js";

const SWITCHING_STATUS = 101;
const AUDIT_RETRY_SECONDS = 5;

/**
 * One request from its head to the last byte of its answer, or of its WebSocket: checked, admitted, relayed; or refused. Ends in exactly
 * one audit entry.
 */
export class Exchange {
  readonly #context: ExchangeContext;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #upgrade: UpgradeConnection | undefined;
  #start: AuditStart;
  readonly #events: ExchangeEvents;
  readonly #answerWatchdog: Watchdog;
  #expectsContinue = false;
  #body: RequestBody | undefined;
  #delivery: Delivery | undefined;
  #tunnel: Tunnel | undefined;
  #rechecked: Rechecked | undefined;
  #admission: Admission | undefined;
  // Of a request that was not admitted, and whose signature held.
  #identity: AuditIdentity | undefined;
  #code: Code | undefined;
  #place: RequestPlace | undefined;
  // Of the upstream's last answer.
  #upstream: UpstreamAnswered | undefined;
  #bytesIn = 0;
  #bytesOut = 0;
  readonly #whenOver: (() => void)[] = [];
  #isOver = false;
  // While the policy decides: ends what it waits for.
  #giveUp: (() => void) | undefined;
  // If spans are made.
  readonly #span: TraceSpan | undefined;

  constructor(context: ExchangeContext, input: ExchangeInput, events: ExchangeEvents) {
    const { request, response } = input;
    this.#context = context;
    this.#request = request;
    this.#response = response;
    this.#upgrade = input.upgrade;
    this.#events = events;
    this.#answerWatchdog = new Watchdog(() => request.socket.destroy());
    const { method = "", url = "" } = request;
    const origin = readOrigin(request, context.policy.isSecret);
    this.#start = { startedAt: context.now(), method, url, origin };
    context.observer?.began();
    this.#span = startExchangeSpan(request, context.policy.isSecret);
    // First of all listeners: Node's own would throw the rest of an unread body away uncounted.
    response.prependOnceListener("finish", () => this.#end());
    // Ignored here: an error of the connection also closes it, and `clientGone` follows.
    request.on("error", () => {});
    response.on("error", () => {});
  }

  /** Whether the client already has the head of its answer. */
  get isAnswering(): boolean {
    return this.#response.headersSent;
  }

  /** Serves the request. Never rejects. */
  async run(): Promise<void> {
    if (this.#span === undefined) await this.#serve();
    else await this.#span.run(() => this.#serve());
  }

  async #serve(): Promise<void> {
    try {
      const { takePlace, isEnding, canAudit, limits, policy, deliver } = this.#context;
      this.#restore();
      this.#locate();
      // Before the rest, since everything after it finds fields by their comparable names.
      const leftOut = policy.checkNames(this.#request.rawHeaders);
      policy.guard?.(this.#request);
      if (isEnding()) throw new RequestRefusal("server_error", "the proxy is about to end");
      if (!canAudit()) throw cannotAudit();
      this.#place = takePlace(this.#request);
      const { isSecret } = policy;
      // Before anything reads what it copies or signs. Trailers are not here yet: they are looked at when they are sent.
      if (isSecret !== undefined) {
        this.#request.rawHeaders = withoutSecrets(this.#request.rawHeaders, isSecret);
      }
      const canUpgrade = this.#upgrade !== undefined;
      const head = checkRequestHead(this.#request, { limits, canUpgrade, isSecret });
      this.#expectsContinue = head.expectsContinue;
      const body = this.#openBody(head);
      this.#body = body;
      const admission = await this.#admit(body);
      this.#admission = admission;
      this.#context.observer?.leftOut(leftOut);
      // One turn of the event loop, in which a pooled connection that the upstream closed or spoke on without being asked is dropped.
      await nextTurn();
      if (this.#isOver) return;
      this.#watchLive(admission);
      this.#delivery = deliver({
        request: this.#request,
        response: this.#response,
        head,
        body,
        admission,
        requestId: this.#start.origin.requestId,
        span: this.#span,
        onUpstream: (status, fields) => this.#noteUpstream(status, fields),
        onBytes: (bytes) => this.#moved("upstream", bytes),
        onFailure: (error) => this.fail(error),
        onSwitch: (upstream, switched) => this.#openTunnel(upstream, switched),
      });
      this.#delivery.start();
    } catch (error) {
      this.fail(error);
    }
  }

  /** Puts the request that is judged in place of one that only asks about it. */
  #restore(): void {
    const { policy } = this.#context;
    if (policy.restore === undefined) return;
    policy.restore(this.#request);
    const { method = "", url = "" } = this.#request;
    this.#start = { ...this.#start, method, url };
  }

  /** Finds out, now that it is known which request is judged, where it comes from. */
  #locate(): void {
    const { policy } = this.#context;
    if (policy.clientAddressOf === undefined) return;
    const address = policy.clientAddressOf(this.#request);
    this.#start = { ...this.#start, origin: { ...this.#start.origin, address } };
  }

  #noteUpstream(status: number, fields: RawFields): void {
    const [id] = fieldValues(fields, REQUEST_ID_FIELD);
    this.#upstream = { status, requestId: isRequestId(id) ? id : undefined };
  }

  #moved(from: "client" | "upstream", bytes: number): void {
    if (from === "client") this.#bytesIn += bytes;
    else this.#bytesOut += bytes;
    this.#context.observer?.moved(from, bytes);
  }

  /**
   * Ends the exchange. If no answer has begun, the client gets a problem; otherwise its connection is broken off. Never throws: if the
   * exchange cannot be ended in this way, the connection is destroyed.
   *
   * @param options - `close`: end the client's connection in any case
   */
  fail(error: unknown, options: { readonly close?: boolean | undefined } = {}): void {
    if (this.#isOver || this.#code !== undefined) return;
    try {
      this.#refuse(error, options.close === true);
    } catch (broken) {
      // One request's, and nothing waits for it: thrown on, it would end the process and all other requests.
      this.#code = "server_error";
      process.emitWarning(`a refusal could not be answered: ${broken}`, "CountersignWarning");
      this.#request.socket.destroy();
    }
  }

  #refuse(error: unknown, isLast: boolean): void {
    const { code, problem } = problemOf(error);
    this.#code = code;
    if (RequestRefusal.is(error)) {
      this.#identity ??= error.identity;
      if (error.limit !== undefined) this.#context.observer?.limited(error.limit);
    }
    this.#delivery?.stop();
    this.#body?.stop();
    if (this.#tunnel !== undefined) this.#tunnel.end(code);
    else if (this.#response.headersSent) breakOff(this.#request, this.#response);
    else {
      const close =
        isLast ||
        this.#context.isClosing() ||
        this.#expectsContinue ||
        endsWithEarlyAnswer(this.#request);
      const { requestId } = this.#start.origin;
      this.#bytesOut += answerProblem(this.#response, { problem, requestId }, close);
      this.#watchAnswer();
    }
    // What is left of it is a short answer: clients that leave their refusals unread keep no other client out.
    this.#leave();
  }

  /** Takes note that the client's connection is closed. */
  clientGone(): void {
    // A tunnel sees it too, and knows whether it was time.
    if (this.#tunnel === undefined) this.#end("cancelled");
  }

  get #status(): number {
    if (this.#tunnel !== undefined) return SWITCHING_STATUS;
    return this.#response.headersSent ? this.#response.statusCode : CLIENT_GONE_STATUS;
  }

  #openTunnel(upstream: Socket, switched: string): void {
    const upgrade = this.#upgrade;
    if (upgrade === undefined) return;
    upgrade.release();
    upgrade.socket.write(switched, "latin1");
    const { observer } = this.#context;
    observer?.tunnelOpened();
    this.#tunnel = new Tunnel({
      client: upgrade.socket,
      upstream,
      idleMs: this.#context.limits.tunnelIdleMs,
      onBytes: (from, bytes) => this.#moved(from, bytes),
      onEnd: (code) => {
        observer?.tunnelClosed();
        this.#end(code);
      },
    });
    this.#tunnel.start();
  }

  #openBody(head: RequestHead): RequestBody {
    return new RequestBody({
      request: this.#request,
      isEmpty: head.framing.kind === "none",
      maxBytes: this.#context.limits.maxBodyBytes,
      onStart: () => {
        if (head.expectsContinue) this.#response.writeContinue();
      },
      onBytes: (bytes) => this.#moved("client", bytes),
      onHeld: (bytes) => this.#place?.hold(bytes),
      onForgotten: () => this.#place?.release(),
      onFailure: (error) => this.fail(error),
    });
  }

  /** Waits for the policy, but no longer than the limit, whether or not it heeds its signal. */
  async #admit(body: RequestBody): Promise<Admission> {
    const { policy, limits } = this.#context;
    let timer: NodeJS.Timeout | undefined;
    const gaveUp = new AbortController();
    const deadline = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(new RequestRefusal("server_error", "it could not be checked in time"));
        gaveUp.abort();
      }, limits.admitMs);
    });
    // Not after it has decided: nothing waits then, and each abort makes a DOMException.
    this.#giveUp = () => gaveUp.abort();
    try {
      const admitted = policy.admit(this.#request, {
        signal: gaveUp.signal,
        body,
        takePlace: this.#takePlace,
        whenOver: this.#addWhenOver,
        requestId: this.#start.origin.requestId,
      });
      return await Promise.race([admitted, deadline]);
    } finally {
      clearTimeout(timer);
      this.#giveUp = undefined;
    }
  }

  readonly #takePlace = (caller: AuditIdentity): void => {
    // The directory answered too late.
    if (this.#isOver || this.#code !== undefined) return;
    this.#place?.verified(caller);
    this.#events.onVerified();
  };

  readonly #addWhenOver = (listener: () => void): void => {
    if (this.#isOver || this.#code !== undefined) listener();
    else this.#whenOver.push(listener);
  };

  /** Gives back what the request took up. */
  #leave(): void {
    this.#place?.leave();
    for (const listener of this.#whenOver.splice(0)) listener();
  }

  /** Waits for the client to take a refusal, from when it is the next on the connection. */
  #watchAnswer(): void {
    const watch = (): void => this.#answerWatchdog.watch(this.#context.limits.idleMs);
    if (this.#response.socket === null) this.#response.once("socket", watch);
    else watch();
  }

  #watchLive(admission: Admission): void {
    if (admission.recheck === undefined) return;
    this.#rechecked = { recheck: admission.recheck, end: (error) => this.fail(error) };
    this.#context.recheck.add(this.#rechecked);
  }

  /**
   * Never throws: it is called by listeners, and thrown on, an error would end the process and all other requests.
   *
   * @param code - why it did not go through, if nothing is known that came before
   */
  #end(code?: Code): void {
    if (this.#isOver) return;
    this.#isOver = true;
    try {
      this.#giveUp?.();
      this.#answerWatchdog.stop();
      this.#delivery?.stop();
      this.#body?.stop();
      this.#record(code);
      if (this.#upgrade === undefined && code !== "cancelled") discardRest(this.#request);
    } catch (broken) {
      const message = `the end of a request could not be recorded: ${broken}`;
      process.emitWarning(message, "CountersignWarning");
      this.#request.socket.destroy();
    } finally {
      if (this.#rechecked !== undefined) this.#context.recheck.delete(this.#rechecked);
      this.#leave();
      this.#events.onEnd();
    }
  }

  #record(code: Code | undefined): void {
    const { audit, observer, policy } = this.#context;
    const end: AuditEnd = {
      endedAt: this.#context.now(),
      status: this.#status,
      code: this.#code ?? code,
      identity: this.#admission?.identity ?? this.#identity,
      upstream: this.#upstream,
      bytesIn: this.#bytesIn,
      bytesOut: this.#bytesOut,
      traceparent: this.#span && traceparentOf(this.#span),
    };
    writeAudit({ audit, isSecret: policy.isSecret }, this.#start, end);
    if (this.#span !== undefined) endExchangeSpan(this.#span, end);
    const ms = Math.max(0, end.endedAt - this.#start.startedAt);
    observer?.ended({ method: this.#start.method, status: end.status, code: end.code, ms });
  }
}

function cannotAudit(): RequestRefusal {
  return new RequestRefusal(
    "server_error",
    "no request is served while its audit entry cannot be kept",
    {
      retryAfterSeconds: AUDIT_RETRY_SECONDS,
    },
  );
}
