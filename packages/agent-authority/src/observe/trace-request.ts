import type { IncomingMessage } from "node:http";
import { hideCredentials } from "@countersign/agent-key/redaction";
import {
  context,
  isSpanContextValid,
  propagation,
  SpanKind,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";
import { TRACER } from "../store/in-span.js";
import { pathOf } from "./path-of.js";

/** The attribute that names an agent. */
const AGENT_ATTRIBUTE = "countersign.agent_runtime_id";

/** How a request ended, as far as its span goes. */
export interface TracedEnd {
  readonly route: string | undefined;
  readonly status: number;
  readonly code: string | undefined;
}

/** The span of a request, in which its handling runs. */
export interface RequestTrace {
  /** Runs something in the context of the request, which the arrival of its body leaves. */
  run(work: () => void): void;
  /** Says which agent the request names. */
  nameAgent(agentRuntimeId: string): void;
  end(end: TracedEnd): void;
}

/**
 * Begins the span of a request, below the one that `traceparent` names.
 *
 * @returns `undefined` without an OpenTelemetry SDK
 */
export function traceRequest(request: IncomingMessage): RequestTrace | undefined {
  const { method = "" } = request;
  // An instrumentation of Node's HTTP server has made a span already, which is then the parent.
  const parent =
    trace.getActiveSpan() === undefined
      ? propagation.extract(context.active(), request.headers)
      : context.active();
  const span = trace.getTracer(TRACER).startSpan(
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
  if (!isSpanContextValid(span.spanContext())) return undefined;
  const own = trace.setSpan(parent, span);
  return {
    run: (work) => context.with(own, work),
    nameAgent: (agentRuntimeId) => {
      span.setAttribute(AGENT_ATTRIBUTE, hideCredentials(agentRuntimeId));
    },
    end({ route, status, code }) {
      if (route !== undefined) {
        span.updateName(`${method} ${route}`);
        span.setAttribute("http.route", route);
      }
      span.setAttribute("http.response.status_code", status);
      if (code !== undefined) span.setAttribute("countersign.code", code);
      if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end();
    },
  };
}
