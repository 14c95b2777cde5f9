import type { AgentBillOfMaterials } from "@countersign/agent-identity/server";
import type { AgentEntry } from "../schema/registry-entries.js";

type ShownBill = Pick<AgentEntry, "agent_version" | "agent_harness_id" | "running_location">;

/** Writes what an agent said of itself, as a row keeps it. */
export function formatAbom(abom: AgentBillOfMaterials): string {
  return JSON.stringify({
    agent_version: abom.agentVersion,
    agent_harness_id: abom.agentHarnessId,
    running_location: abom.runningLocation,
  });
}

/** Reads it from a row. An agent of an identity JWT said nothing. */
export function parseAbom(text: string): ShownBill {
  return JSON.parse(text) as ShownBill;
}
