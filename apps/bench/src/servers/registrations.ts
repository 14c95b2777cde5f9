import { AgentKey, formatTimestamp } from "@countersign/agent-key";
import { requestText } from "./load-client.ts";
import type { KnownAgent } from "./seeded-database.ts";

// Within what a timestamp may be off (300 s), with time to spare for a slow run.
const SPREAD_SECONDS = 120;

/**
 * Makes requests that each register a task: of the agents in turn, no two with the same signature.
 *
 * @param offset - how many were made before
 */
export function taskRegistrations(
  url: string,
  agents: readonly KnownAgent[],
  count: number,
  offset = 0,
): readonly string[] {
  const keys = agents.map(({ pkcs8 }) => AgentKey.importPkcs8(pkcs8));
  const nowMs = Date.now();
  return Array.from({ length: count }, (_, index) => {
    const turn = index + offset;
    const agent = agents[turn % agents.length];
    const key = keys[turn % agents.length];
    if (agent === undefined || key === undefined) throw new Error("there is no agent");
    const seconds = (Math.floor(turn / agents.length) % (2 * SPREAD_SECONDS)) - SPREAD_SECONDS;
    const timestamp = formatTimestamp(nowMs + seconds * 1_000);
    const signature = key.signText(`${agent.id}:${timestamp}`);
    return requestText(
      url,
      `/v1/agent/${agent.id}/task/register`,
      { "content-type": "application/json" },
      JSON.stringify({ signature, timestamp }),
    );
  });
}
