import type { IncomingMessage } from "node:http";
import { hideCredentials } from "@countersign/agent-key/redaction";
import {
  type Attributes,
  type Context,
  context,
  isSpanContextValid,
  propagation,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";
import { pathOf } from "./path-of.js";

/** The attribute that names an agent. */
export const AGENT_ATTRIBUTE = "countersign.agent_runtime_id";

const NAME = "@countersign/agent-authority";
const contexts = new WeakMap<IncomingMessage, Context>();

/** How a request ended, as far as its span goes. */
export interface TracedEnd {
  readonly route: string | undefined;
  readonly status: number;
  readonly code: string | undefined;
}

/**
 * Begins the span of a request, below the one that `traceparent` names, and runs its handling in it. Without an OpenTelemetry SDK nothing
 * is made.
 *
 * @returns ends the span
 */
export function traceRequest(request: IncomingMessage, run: () => void): (end: TracedEnd) => void {
  const { method = "" } = request;
  // Whoever traces Node's HTTP server has made a span already, which is then the parent.
  const parent =
    trace.getActiveSpan() === undefined
      ? propagation.extract(context.active(), request.headers)
      : context.active();
  const span = trace.getTracer(NAME).startSpan(
    method,
    {
      kind: SpanKind.SERVER,
      attributes: {
        "http.request.method": method,
        // Read where spans are made alone: hiding credentials takes its time.
        get "url.path"() {
          return pathOf(request);
        },
      },
    },
    parent,
  );
  // One that is not sampled is kept all the same: what is below it is not to begin a trace of its own.
  if (!isSpanContextValid(span.spanContext())) {
    run();
    return () => {};
  }
  const own = trace.setSpan(parent, span);
  contexts.set(request, own);
  context.with(own, run);
  return ({ route, status, code }) => {
    if (route !== undefined) {
      span.updateName(`${method} ${route}`);
      span.setAttribute("http.route", route);
    }
    span.setAttribute("http.response.status_code", status);
    if (code !== undefined) span.setAttribute("countersign.code", code);
    if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
    span.end();
  };
}

/** Runs something in the context of a request again, which the arrival of its body has left; with the agent that it names. */
export function resumeTrace(
  request: IncomingMessage,
  agentRuntimeId: string | undefined,
  run: () => void,
): void {
  const own = contexts.get(request);
  if (own === undefined) {
    run();
    return;
  }
  if (agentRuntimeId !== undefined)
    trace.getSpan(own)?.setAttribute(AGENT_ATTRIBUTE, hideCredentials(agentRuntimeId));
  context.with(own, run);
}

/** Runs something in a span of its own. */
export async function inSpan<T>(
  name: string,
  attributes: Attributes,
  run: () => Promise<T>,
): Promise<T> {
  const span: Span = trace.getTracer(NAME).startSpan(name, { kind: SpanKind.CLIENT, attributes });
  if (!span.isRecording()) return run();
  try {
    return await context.with(trace.setSpan(context.active(), span), run);
  } catch (error) {
    span.setStatus({ code: SpanStatusCode.ERROR });
    throw error;
  } finally {
    span.end();
  }
}
