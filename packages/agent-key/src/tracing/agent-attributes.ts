import type { SpanAttributes } from "./trace-span.js";

/** Who an agent is, as far as it is known. Proven, or one's own: a claim is not put under these names. */
export interface TracedAgent {
  readonly agentRuntimeId?: string | undefined;
  readonly taskId?: string | undefined;
  readonly accountId?: string | undefined;
  readonly userId?: string | undefined;
  /** The id of the harness's thread. */
  readonly threadId?: string | undefined;
}

/**
 * The attributes of an agent: OpenTelemetry's own names where it has them.
 *
 * @see docs/operating/tracing.md
 */
export function agentAttributes(agent: TracedAgent): SpanAttributes {
  return {
    "gen_ai.agent.id": agent.agentRuntimeId,
    // A proposal: open-telemetry/semantic-conventions-genai#345.
    "gen_ai.agent.identity.id": agent.agentRuntimeId,
    "gen_ai.conversation.id": agent.threadId,
    "user.id": agent.userId,
    "countersign.account_id": agent.accountId,
    "countersign.task_id": agent.taskId,
  };
}

/** The attributes of where a request goes: no path and no query, which may hold a secret. */
export function serverAttributes(url: URL): SpanAttributes {
  const { protocol, hostname, port } = url;
  const usual = protocol === "https:" || protocol === "wss:" ? 443 : 80;
  return {
    "server.address": hostname.replace(/^\[|\]$/g, ""),
    "server.port": port === "" ? usual : Number(port),
  };
}
