import type { Credential } from "@countersign/agent-key";
import { hideCredentials } from "@countersign/agent-key/redaction";
import {
  agentAttributes,
  type SpanAttributes,
  serverAttributes,
  startSpan,
  type TraceSpan,
} from "@countersign/agent-key/tracing";

/** Begins the span of one hop to a named URL, from before its credential is asked for; `undefined` if no spans are made. */
export function startRequestSpan(url: URL): TraceSpan | undefined {
  return startSpan("HTTP", {
    tracer: "@countersign/agent-assertion",
    kind: "client",
    attributes: () => serverAttributes(url),
  });
}

/** What a span says of a credential: never the credential itself. */
export function credentialAttributes(credential: Credential): SpanAttributes {
  const kind = { "countersign.credential": credential.kind };
  if (credential.kind !== "agent") return kind;
  const { agentRuntimeId, taskId, threadId } = credential;
  const hidden = threadId === undefined ? undefined : hideCredentials(threadId);
  return { ...kind, ...agentAttributes({ agentRuntimeId, taskId, threadId: hidden }) };
}
