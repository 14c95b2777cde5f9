import { AgentKey } from "@countersign/agent-key";
import { pkcs8OfSeed } from "@countersign/testing";
import type { AgentRecord, TaskRecord } from "../src/index.js";
import { signAssertion } from "../src/index.js";

export const AUTHORITY = "https://authority.example";
export const AGENT_ID = "agent-1";
export const TASK_ID = "task-1";
/** 2026-04-15T17:08:09Z, epoch milliseconds. */
export const NOW = Date.UTC(2026, 3, 15, 17, 8, 9);
export const TIMESTAMP = "2026-04-15T17:08:09Z";

/** Fixed keys, so that a failure repeats. */
export const key = AgentKey.importPkcs8(pkcs8OfSeed(new Uint8Array(32).fill(7)));
export const otherKey = AgentKey.importPkcs8(pkcs8OfSeed(new Uint8Array(32).fill(8)));

export const agent: AgentRecord = {
  agentRuntimeId: AGENT_ID,
  accountId: "acct-1",
  userId: "user-1",
  capabilities: ["responses"],
  publicKeys: [key.publicKey],
  state: "active",
};
export const task: TaskRecord = { taskId: TASK_ID, state: "active" };

export const header = signAssertion({
  agentRuntimeId: AGENT_ID,
  taskId: TASK_ID,
  key,
  timestamp: TIMESTAMP,
});

/** The members of an assertion as they go into the envelope. */
export function membersOf(field: string): Record<string, string> {
  return JSON.parse(Buffer.from(field.split(" ")[1] ?? "", "base64url").toString("utf8"));
}

/** A field whose token holds exactly this text. */
export function fieldOf(envelope: string | Uint8Array): string {
  return `AgentAssertion ${Buffer.from(envelope).toString("base64url")}`;
}
