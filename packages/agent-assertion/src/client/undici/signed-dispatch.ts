import type { Duplex } from "node:stream";
import type { Dispatcher } from "undici";
import { AuthorizedRequest } from "../authorized-request.js";
import type { Authorizer, Fields, Outgoing } from "../authorizer.js";
import { credentialFieldsIn, withoutFields } from "../own-credentials.js";
import { type KnownBody, knownBody } from "../request-body.js";
import { attemptBody, isNodeStream, isReplayableBody } from "./dispatch-body.js";
import { fieldOf, signedHeaders } from "./dispatch-headers.js";
import type { DispatchTarget } from "./dispatch-target.js";
import type { KnownHandler } from "./handler-forms.js";
import { HeldRefusal } from "./held-refusal.js";
import { StableController } from "./stable-controller.js";
import type { UnseenRedirects } from "./unseen-redirects.js";

type Controller = Dispatcher.DispatchController;
type ResponseHeaders = Parameters<NonNullable<Dispatcher.DispatchHandler["onResponseStart"]>>[2];

/** A request of a dispatcher that is to be signed. */
export interface DispatchedRequest {
  readonly dispatch: Dispatcher.Dispatch;
  readonly opts: Dispatcher.DispatchOptions;
  readonly handler: KnownHandler;
  readonly target: DispatchTarget;
  readonly headers: Record<string, unknown>;
  /** Whether a redirect asked for it. */
  readonly isRedirect: boolean;
  readonly unseen: UnseenRedirects;
  /** Called if the request is sent as its caller made it. */
  onAsMade(): void;
}

/**
 * Stands between the caller's handler and its attempts: it sends the first when there is a credential, or none is to go there, and the
 * second after a 401.
 */
export class SignedDispatch implements Dispatcher.DispatchHandler {
  readonly #dispatched: DispatchedRequest;
  readonly #request: AuthorizedRequest;
  readonly #controller: StableController;
  readonly #cancelling = new AbortController();
  #attempt: Controller | undefined;
  #refusal: HeldRefusal | undefined;
  #known: KnownBody | undefined;
  // The caller's header fields that are sent.
  #own: Record<string, unknown>;
  #isAsMade = false;
  #isRepeated = false;
  #isOver = false;

  constructor(authorizer: Authorizer, dispatched: DispatchedRequest) {
    this.#dispatched = dispatched;
    this.#own = dispatched.headers;
    const { signal } = this.#cancelling;
    this.#request = new AuthorizedRequest(authorizer, signal, !dispatched.isRedirect);
    this.#controller = new StableController((reason) => this.#abort(reason));
  }

  async start(): Promise<void> {
    const { opts, handler } = this.#dispatched;
    const fail = (error: Error) => this.#fail(error);
    const stream = isNodeStream(opts.body) ? opts.body : undefined;
    // Until undici has the body, only this listener gets the body's errors.
    stream?.on("error", fail);
    try {
      // Called before there is a connection, so that the caller can end the request while it waits for its credential.
      handler.onRequestStart(this.#controller, null);
      if (this.#isOver) return;
      await this.#enter();
    } catch (error) {
      this.#fail(error);
    } finally {
      stream?.off("error", fail);
    }
  }

  async #enter(): Promise<void> {
    const { dispatch, opts, headers, target, onAsMade } = this.#dispatched;
    const own = credentialFieldsIn((name) => fieldOf(headers, name) !== undefined);
    const rule = await this.#request.enter(target.url, own);
    if (this.#isOver) return;
    if (rule.kind === "as_made") {
      this.#isAsMade = true;
      onAsMade();
      dispatch({ ...opts, body: attemptBody(opts.body) }, this);
      return;
    }
    this.#own = withoutFields(headers, rule.without);
    if (this.#request.isBound) this.#known = await knownBody(opts.body);
    // Until it is signed, the body's errors are listened to here.
    if (!this.#isOver) await this.#send();
  }

  #send(): Promise<void> | undefined {
    this.#attempt = undefined;
    const { target, opts } = this.#dispatched;
    const headers = this.#own;
    const { bytes, type } = this.#known ?? {};
    const contentDigest = fieldOf(headers, "content-digest");
    const outgoing: Outgoing = {
      url: target.url,
      method: opts.method,
      targetUri: target.targetUri,
      body: bytes,
      contentDigest: typeof contentDigest === "string" ? contentDigest : undefined,
    };
    // A text has no type of its own here, as undici has it.
    const traced = this.#request.traceFields;
    const isTyped = typeof opts.body === "string" || fieldOf(headers, "content-type") !== undefined;
    const typed = isTyped || type === undefined ? headers : { ...headers, "content-type": type };
    const own = traced.length === 0 ? typed : withTraceFields(typed, traced);
    const fields = this.#request.repeatedFields(outgoing);
    if (fields instanceof Promise) {
      return fields.then((made) => {
        if (!this.#isOver) this.#write(own, made);
      });
    }
    this.#write(own, fields);
    return undefined;
  }

  #write(own: Record<string, unknown>, fields: () => Fields): void {
    const { dispatch, target } = this.#dispatched;
    const { query: _, ...opts } = this.#dispatched.opts;
    // An interceptor below this one that followed redirects would carry the assertion with it.
    const unfollowed: object = { maxRedirections: 0 };
    const attempt: Dispatcher.DispatchOptions = {
      ...opts,
      ...unfollowed,
      path: target.path,
      headers: this.#request.isAuthorized
        ? signedHeaders(own, fields)
        : (own as NonNullable<Dispatcher.DispatchOptions["headers"]>),
      body: this.#known === undefined ? attemptBody(opts.body) : (this.#known.bytes ?? null),
    };
    this.#request.run(() => dispatch(attempt, this));
  }

  onRequestStart(controller: Controller): void {
    this.#attempt = controller;
    this.#controller.follow(controller);
    if (this.#isOver) controller.abort(this.#controller.reason ?? new Error("over"));
  }

  onRequestUpgrade(_: Controller, status: number, headers: ResponseHeaders, socket: Duplex): void {
    this.#request.accepted();
    this.#request.ended(status);
    this.#dispatched.handler.onRequestUpgrade?.(this.#controller, status, headers, socket);
  }

  onResponseStart(
    controller: Controller,
    status: number,
    headers: ResponseHeaders,
    statusMessage?: string,
  ): void {
    if (this.#isOver) return;
    if (this.#request.isRefusal(status) && !this.#isRepeated) {
      const refusal = new HeldRefusal(controller, status, headers, statusMessage);
      this.#refusal = refusal;
      void this.#answerRefusal(refusal);
      return;
    }
    if (status >= 200 && !this.#request.isRefusal(status)) this.#request.accepted();
    if (status >= 200) this.#request.ended(status);
    const { handler, unseen, target, headers: own } = this.#dispatched;
    if (!this.#isAsMade) unseen.note({ url: target.url, headers: own }, status, headers);
    handler.onResponseStart?.(this.#controller, status, headers, statusMessage);
  }

  async #answerRefusal(refusal: HeldRefusal): Promise<void> {
    const { handler, opts } = this.#dispatched;
    const isReplayable = this.#known !== undefined || isReplayableBody(opts.body);
    try {
      const code = await refusal.code();
      this.#isRepeated = await this.#request.refused(code, isReplayable);
    } catch (error) {
      this.#fail(error);
      refusal.drop(ignore);
      return;
    }
    if (this.#isOver) return;
    if (this.#isRepeated) {
      refusal.drop(() => this.#repeat());
      return;
    }
    this.#refusal = undefined;
    this.#request.ended(401);
    refusal.handUp(handler, this.#controller);
  }

  #repeat(): void {
    if (this.#isOver) return;
    this.#refusal = undefined;
    try {
      this.#send()?.catch((error: unknown) => this.#fail(error));
    } catch (error) {
      this.#fail(error);
    }
  }

  onResponseData(_: Controller, chunk: Buffer): void {
    if (this.#refusal !== undefined) this.#refusal.data(chunk);
    else if (!this.#isOver) this.#dispatched.handler.onResponseData?.(this.#controller, chunk);
  }

  onResponseEnd(_: Controller, trailers: ResponseHeaders): void {
    if (this.#refusal !== undefined) this.#refusal.end({ kind: "ended", trailers });
    else if (!this.#isOver) this.#dispatched.handler.onResponseEnd?.(this.#controller, trailers);
  }

  onResponseError(_: Controller, error: Error): void {
    if (this.#refusal !== undefined) this.#refusal.end({ kind: "failed", error });
    else this.#fail(error);
  }

  onResponseStarted(): void {
    this.#dispatched.handler.onResponseStarted?.();
  }

  onBodySent(chunk: Buffer): void {
    this.#dispatched.handler.onBodySent?.(chunk);
  }

  onRequestSent(): void {
    this.#dispatched.handler.onRequestSent?.();
  }

  // The caller gives up. During an attempt undici reports that to the handler; otherwise only this class can.
  #abort(reason: Error): void {
    this.#cancelling.abort(reason);
    const isUnderWay = this.#attempt !== undefined && this.#refusal === undefined;
    if (!isUnderWay) this.#fail(reason);
    this.#attempt?.abort(reason);
  }

  #fail(error: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#request.failed(error);
    const reason = error instanceof Error ? error : new Error(String(error));
    this.#dispatched.handler.onResponseError(this.#controller, reason);
  }
}

function withTraceFields(own: Record<string, unknown>, traced: Fields): Record<string, unknown> {
  const names = traced.map(([name]) => name);
  return { ...withoutFields(own, names), ...Object.fromEntries(traced) };
}

// Nothing follows once the rest of a refusal was dropped.
function ignore(): void {}
