import { agentAttributes, type SpanOptions } from "@countersign/agent-key/tracing";

/** What the spans of this package are made by. */
export const TRACER = "@countersign/agent-identity";

/** The span of a registration or a rotation. */
export function ownerSpan(
  { accountId, userId }: { readonly accountId: string; readonly userId: string },
  agentRuntimeId?: string,
): SpanOptions {
  return {
    tracer: TRACER,
    kind: "internal",
    attributes: () => agentAttributes({ agentRuntimeId, accountId, userId }),
  };
}
