import {
  type Attributes,
  context,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";

/** What spans of this package are made by. */
export const TRACER = "@countersign/agent-authority";

/** Runs something in a span of its own. */
export async function inSpan<T>(
  name: string,
  attributes: Attributes,
  run: () => Promise<T>,
): Promise<T> {
  const span: Span = trace.getTracer(TRACER).startSpan(name, { kind: SpanKind.CLIENT, attributes });
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
