import type { Duplex } from "node:stream";
import type { Dispatcher } from "undici";
import { AgentAssertionError } from "../../agent-assertion-error.js";
import { AttemptController } from "./attempt-controller.js";
import { fieldRecord, fieldsOnWire, type WireFields } from "./wire-fields.js";

type Controller = Dispatcher.DispatchController;
type Handler = Dispatcher.DispatchHandler;
type Fields = Parameters<NonNullable<Handler["onResponseStart"]>>[2];

/** The form of undici 6, and of the `fetch` of a Node that has undici 6 or 7 inside: a callback for each event, and no controller. */
interface CallbackHandler {
  onConnect(abort: (reason?: Error) => void, context: unknown): void;
  onUpgrade?(status: number, fields: WireFields, socket: Duplex): void;
  onHeaders?(status: number, fields: WireFields, resume: () => void, message?: string): unknown;
  onData?(chunk: Buffer): unknown;
  onComplete?(trailers: WireFields): void;
  onError(error: Error): void;
  onResponseStarted?(): void;
  onBodySent?(chunk: Buffer): void;
  onRequestSent?(): void;
}

/** A handler that is told how its request begins and how it fails: others are refused. */
export type KnownHandler = Handler & Required<Pick<Handler, "onRequestStart" | "onResponseError">>;

/** A caller's handler in the form of undici 7 and 8, whichever form it has. */
export interface CallerHandler {
  readonly handler: KnownHandler;
  /** Whether it had the form of undici 6: such a caller cannot read HTTP/2. */
  readonly hasCallbacks: boolean;
}

/**
 * Reads the form of a caller's handler. It is checked here once, because a handler of an unknown form would never be told how its request ended.
 *
 * @throws {AgentAssertionError} `config_invalid` if it has neither form
 */
export function callerHandler(given: unknown): CallerHandler {
  const hasAll = (...names: string[]) =>
    typeof given === "object" &&
    given !== null &&
    names.every((name) => typeof Reflect.get(given, name) === "function");
  if (hasAll("onRequestStart", "onResponseError")) {
    return { handler: given as KnownHandler, hasCallbacks: false };
  }
  if (hasAll("onConnect", "onError")) {
    return { handler: new CallbacksAsHandler(given as CallbackHandler), hasCallbacks: true };
  }
  throw new AgentAssertionError(
    "config_invalid",
    "the handler of this request has neither the form of undici 6 nor that of undici 7 and 8",
    {
      hint: "use assertionInterceptor with undici 6, 7 or 8, or with the fetch of a Node that has one of them",
    },
  );
}

/** Gives a handler of undici 6 the interface of undici 7 and 8. */
class CallbacksAsHandler implements KnownHandler {
  // Named as undici's interceptors name it: the redirects that led to a request are found through it.
  readonly handler: CallbackHandler;

  constructor(handler: CallbackHandler) {
    this.handler = handler;
  }

  onRequestStart(controller: Controller, context: unknown): void {
    this.handler.onConnect((reason) => controller.abort(reason as Error), context);
  }

  onRequestUpgrade(controller: Controller, status: number, fields: Fields, socket: Duplex): void {
    this.handler.onUpgrade?.(status, fieldsOnWire(controller.rawHeaders, fields), socket);
  }

  onResponseStart(controller: Controller, status: number, fields: Fields, message?: string): void {
    const onWire = fieldsOnWire(controller.rawHeaders, fields);
    const resume = () => controller.resume();
    if (this.handler.onHeaders?.(status, onWire, resume, message) === false) controller.pause();
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    if (this.handler.onData?.(chunk) === false) controller.pause();
  }

  onResponseEnd(controller: Controller, trailers: Fields): void {
    this.handler.onComplete?.(fieldsOnWire(controller.rawTrailers, trailers));
  }

  onResponseError(_: Controller, error: Error): void {
    this.handler.onError(error);
  }

  onResponseStarted(): void {
    this.handler.onResponseStarted?.();
  }

  onBodySent(chunk: Buffer): void {
    this.handler.onBodySent?.(chunk);
  }

  onRequestSent(): void {
    this.handler.onRequestSent?.();
  }
}

/** A handler in both forms: a dispatcher does not say which one it calls. undici 6 knows the one, undici 8 the other. */
export class TwoFormHandler implements Handler, CallbackHandler {
  readonly handler: Handler;
  #controller: AttemptController | undefined;

  constructor(handler: Handler) {
    this.handler = handler;
  }

  onRequestStart(controller: Controller, context: unknown): void {
    this.handler.onRequestStart?.(controller, context);
  }

  onRequestUpgrade(controller: Controller, status: number, fields: Fields, socket: Duplex): void {
    this.handler.onRequestUpgrade?.(controller, status, fields, socket);
  }

  onResponseStart(controller: Controller, status: number, fields: Fields, message?: string): void {
    this.handler.onResponseStart?.(controller, status, fields, message);
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    this.handler.onResponseData?.(controller, chunk);
  }

  onResponseEnd(controller: Controller, trailers: Fields): void {
    this.handler.onResponseEnd?.(controller, trailers);
  }

  onResponseError(controller: Controller, error: Error): void {
    this.handler.onResponseError?.(controller, error);
  }

  onResponseStarted(): void {
    this.handler.onResponseStarted?.();
  }

  onBodySent(chunk: Buffer): void {
    this.handler.onBodySent?.(chunk);
  }

  onRequestSent(): void {
    this.handler.onRequestSent?.();
  }

  // Called again if a connection ended before the request was written to it.
  onConnect(abort: (reason?: Error) => void, context: unknown): void {
    this.#controller = new AttemptController(abort);
    this.handler.onRequestStart?.(this.#controller, context);
  }

  onUpgrade(status: number, fields: WireFields, socket: Duplex): void {
    const controller = this.#attempt();
    controller.rawHeaders = fields;
    this.handler.onRequestUpgrade?.(controller, status, fieldRecord(fields), socket);
  }

  onHeaders(status: number, fields: WireFields, resume: () => void, message?: string): boolean {
    const controller = this.#attempt();
    controller.rawHeaders = fields;
    controller.onResume = resume;
    this.handler.onResponseStart?.(controller, status, fieldRecord(fields), message);
    return !controller.paused;
  }

  onData(chunk: Buffer): boolean {
    const controller = this.#attempt();
    this.handler.onResponseData?.(controller, chunk);
    return !controller.paused;
  }

  onComplete(trailers: WireFields): void {
    const controller = this.#attempt();
    controller.rawTrailers = trailers;
    this.handler.onResponseEnd?.(controller, fieldRecord(trailers));
  }

  onError(error: Error): void {
    this.handler.onResponseError?.(this.#attempt(), error);
  }

  // A request may fail before it is written, and then has no controller yet.
  #attempt(): AttemptController {
    this.#controller ??= new AttemptController(() => {});
    return this.#controller;
  }
}
