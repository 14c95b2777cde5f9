/** What of an OpenTelemetry SDK is used, as `@opentelemetry/api` 1 describes it; that package need not be installed. */
export interface OpenTelemetry {
  readonly trace?: { getTracer(name: string): Tracer } | undefined;
  readonly context?: ContextManager | undefined;
  readonly propagation?: Propagator | undefined;
}

/** A span of an SDK. */
export interface Span {
  setAttribute(name: string, value: SpanValue): unknown;
  setStatus(status: { readonly code: number }): unknown;
  updateName(name: string): unknown;
  end(): void;
}

/** The value of an attribute. */
export type SpanValue = string | number | boolean;

interface Tracer {
  startActiveSpan<T>(name: string, options: { readonly kind: number }, work: (span: Span) => T): T;
}

interface ContextManager {
  active(): unknown;
  with<T>(context: unknown, work: () => T): T;
}

/** Reads and writes the fields that join spans of two processes. */
export interface Propagator {
  inject(context: unknown, carrier: Map<string, string>, setter: CarrierSetter): void;
  extract(context: unknown, carrier: Carrier, getter: CarrierGetter): unknown;
  fields(): readonly string[];
}

/** Header fields of a request, as Node gives them. */
export type Carrier = Readonly<Record<string, string | string[] | undefined>>;

interface CarrierSetter {
  set(carrier: Map<string, string>, name: string, value: string): void;
}

interface CarrierGetter {
  get(carrier: Carrier, name: string): string | string[] | undefined;
  keys(carrier: Carrier): string[];
}

// Every copy of `@opentelemetry/api` 1 in a process keeps here what an SDK registers, so that all of them find the same SDK.
const KEY = Symbol.for("opentelemetry.js.api.1");

/** Returns what an SDK has registered in this process, if anything; `trace` is absent without an SDK for traces. */
export function openTelemetry(): OpenTelemetry | undefined {
  return (globalThis as { readonly [KEY]?: OpenTelemetry })[KEY];
}
