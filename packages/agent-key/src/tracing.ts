export type { TracedAgent } from "./tracing/agent-attributes.js";
export { agentAttributes, serverAttributes } from "./tracing/agent-attributes.js";
export type { TraceFields } from "./tracing/trace-fields.js";
export {
  clientTraceFields,
  startServerSpan,
  traceFieldNames,
  traceFields,
} from "./tracing/trace-fields.js";
export type { SpanAttributes, SpanEnd, SpanOptions, TraceSpan } from "./tracing/trace-span.js";
export { failSpan, inSpan, isTracing, startSpan } from "./tracing/trace-span.js";
