import { hasSubscribers } from "node:diagnostics_channel";
import { type Carrier, openTelemetry, type Propagator } from "./open-telemetry.js";
import { type SpanOptions, startSpan, type TraceSpan } from "./trace-span.js";

/** Names in lower case, and values, of header fields. */
export type TraceFields = readonly (readonly [name: string, value: string])[];

const GETTER = {
  get: (carrier: Carrier, name: string) => carrier[name.toLowerCase()],
  keys: (carrier: Carrier) => Object.keys(carrier),
};

/**
 * Begins the span of a request that has come: below the one that its header fields name, unless a span is active already.
 *
 * @param carrier - the header fields, by names in lower case
 * @returns `undefined` without an SDK
 */
export function startServerSpan(
  name: string,
  carrier: Carrier,
  options: Omit<SpanOptions, "kind">,
): TraceSpan | undefined {
  const start = () => startSpan(name, { ...options, kind: "server" });
  const { context, propagation } = openTelemetry() ?? {};
  if (context === undefined || propagation === undefined) return start();
  const active = context.active();
  // An instrumentation of the server has made a span already, which is then the parent.
  if (injected(propagation, active).size > 0) return start();
  return context.with(propagation.extract(active, carrier, GETTER), start);
}

/** The header fields by which a server's spans join this one: `traceparent`, or whatever the program's propagator writes. */
export function traceFields({ api, context }: TraceSpan): TraceFields {
  return api.propagation === undefined ? [] : [...injected(api.propagation, context)];
}

/**
 * The same for a request of a client's.
 *
 * @returns none if an instrumentation of undici and the platform's `fetch` writes them itself: twice they would be worth nothing
 */
export function clientTraceFields(span: TraceSpan): TraceFields {
  return hasSubscribers("undici:request:create") ? [] : traceFields(span);
}

/** The names of the fields that the program's propagator reads and writes, in lower case. */
export function traceFieldNames({ api }: TraceSpan): readonly string[] {
  return api.propagation?.fields().map((name) => name.toLowerCase()) ?? [];
}

function injected(propagation: Propagator, context: unknown): Map<string, string> {
  const fields = new Map<string, string>();
  propagation.inject(context, fields, {
    set: (carrier, name, value) => void carrier.set(name.toLowerCase(), value),
  });
  return fields;
}
