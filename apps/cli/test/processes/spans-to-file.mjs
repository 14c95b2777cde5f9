/** Registers the OpenTelemetry SDK, whose spans become lines of JSON in the file that SPANS_FILE names. For `node --import`. */
import { appendFileSync } from "node:fs";
import { NodeTracerProvider, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-node";

const file = process.env.SPANS_FILE;

const exporter = {
  export(spans, onDone) {
    for (const span of spans) {
      const { name, kind, attributes, status, parentSpanContext } = span;
      const { traceId, spanId } = span.spanContext();
      const parentId = parentSpanContext?.spanId;
      const line = { name, kind, attributes, status: status.code, traceId, spanId, parentId };
      appendFileSync(file, `${JSON.stringify(line)}\n`);
    }
    onDone({ code: 0 });
  },
  shutdown: async () => {},
};

const processor = new SimpleSpanProcessor(exporter);
new NodeTracerProvider({ spanProcessors: [processor] }).register();
