import type { IncomingMessage } from "node:http";
import {
  agentAttributes,
  isTracing,
  startServerSpan,
  type TraceSpan,
  traceFieldNames,
  traceFields,
} from "@countersign/agent-key/tracing";
import { keepFields, type RawFields } from "../head/raw-fields.js";
import { type AuditEnd, type AuditTarget, auditedPath } from "../refusal/audit-entry.js";

/** Begins the span of a request, below the one that its `traceparent` names; `undefined` without an OpenTelemetry SDK. */
export function startExchangeSpan(
  request: IncomingMessage,
  isSecret: AuditTarget["isSecret"],
): TraceSpan | undefined {
  const { method = "", url = "" } = request;
  if (!isTracing()) return undefined;
  return startServerSpan(method, request.headers, {
    tracer: "@countersign/assertion-proxy",
    attributes: () => ({
      "http.request.method": method,
      "url.path": auditedPath(url, isSecret),
    }),
  });
}

/** Ends the span of a request as its audit entry has it. */
export function endExchangeSpan(span: TraceSpan, { status, code, identity = {} }: AuditEnd): void {
  span.set({
    ...agentAttributes({
      agentRuntimeId: identity.agent_runtime_id,
      taskId: identity.task_id,
      accountId: identity.account_id,
      userId: identity.user_id,
    }),
    "http.response.status_code": status,
  });
  span.end({ code, isError: status >= 500 });
}

/** The `traceparent` of a span, if the program's propagator writes one. */
export function traceparentOf(span: TraceSpan): string | undefined {
  return traceFields(span).find(([name]) => name === "traceparent")?.[1];
}

/** The fields for the upstream: its spans join this one, and not what the client wrote. */
export function tracedFields(span: TraceSpan, fields: RawFields): RawFields {
  const names = new Set(traceFieldNames(span));
  return [...keepFields(fields, ({ name }) => !names.has(name)), ...traceFields(span).flat()];
}
