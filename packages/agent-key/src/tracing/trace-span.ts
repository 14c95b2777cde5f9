import { type OpenTelemetry, openTelemetry, type Span, type SpanValue } from "./open-telemetry.js";

/** Kinds of spans, by their numbers in `@opentelemetry/api`. */
const KINDS = { internal: 0, server: 1, client: 2 } as const;
const ERROR_STATUS = 2;

/** Attributes of a span. One that is `undefined` is left out. */
export type SpanAttributes = Readonly<Record<string, SpanValue | undefined>>;

/** What a span is made with. */
export interface SpanOptions {
  /** The package that makes it. */
  readonly tracer: string;
  /** `client`: it covers a request to another process; `server`: one from there. */
  readonly kind: keyof typeof KINDS;
  /** Asked for where spans are made alone. */
  readonly attributes?: (() => SpanAttributes) | undefined;
}

/** How what a span covers has ended. */
export interface SpanEnd {
  /** Why it failed or was refused. */
  readonly code?: string | undefined;
  /** Whether it counts as an error. Default: if there is a code. */
  readonly isError?: boolean | undefined;
}

/** Returns whether this process has an OpenTelemetry SDK that makes spans. */
export function isTracing(): boolean {
  return openTelemetry()?.trace !== undefined;
}

/**
 * Begins a span below the active one, by the OpenTelemetry SDK that the program has registered.
 *
 * @returns `undefined` without an SDK; nothing but a look at one global object was done then
 */
export function startSpan(name: string, options: SpanOptions): TraceSpan | undefined {
  const api = openTelemetry();
  if (api?.trace === undefined) return undefined;
  const { tracer, kind, attributes } = options;
  return api.trace.getTracer(tracer).startActiveSpan(name, { kind: KINDS[kind] }, (begun) => {
    const span = new TraceSpan(api, begun);
    if (attributes !== undefined) span.set(attributes());
    return span;
  });
}

/** Does work in a span of its own, if spans are made. A failure ends the span with the error's code. */
export async function inSpan<T>(
  name: string,
  options: SpanOptions,
  work: (span: TraceSpan | undefined) => Promise<T>,
): Promise<T> {
  const span = startSpan(name, options);
  if (span === undefined) return await work(undefined);
  try {
    const result = await span.run(() => work(span));
    span.end();
    return result;
  } catch (error) {
    failSpan(span, error);
    throw error;
  }
}

/** Ends a span with the code of an error. */
export function failSpan(span: TraceSpan | undefined, error: unknown): void {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  span?.end({ code: typeof code === "string" ? code : undefined, isError: true });
}

/** A span that has begun. */
export class TraceSpan {
  /** What the SDK has registered. */
  readonly api: OpenTelemetry;
  /** The context in which the span is the active one. */
  readonly context: unknown;
  readonly #span: Span;
  #isOver = false;

  /** Made while the span is the active one. */
  constructor(api: OpenTelemetry, span: Span) {
    this.api = api;
    this.#span = span;
    this.context = api.context?.active();
  }

  /** Does work in the context of the span: spans that begin in it are below this one. */
  run<T>(work: () => T): T {
    const { context } = this.api;
    return context === undefined ? work() : context.with(this.context, work);
  }

  /** Names the span for what it has turned out to be. */
  rename(name: string): void {
    this.#span.updateName(name);
  }

  set(attributes: SpanAttributes): void {
    for (const [name, value] of Object.entries(attributes)) {
      if (value !== undefined) this.#span.setAttribute(name, value);
    }
  }

  /** Ends it. Only the first end counts. */
  end({ code, isError = code !== undefined }: SpanEnd = {}): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.set({ "countersign.code": code });
    if (isError) this.#span.setStatus({ code: ERROR_STATUS });
    this.#span.end();
  }
}
