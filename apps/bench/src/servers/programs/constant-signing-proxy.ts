import { AgentKey, type CredentialSource } from "@countersign/agent-key";
import { createSigningProxy } from "@countersign/assertion-proxy";

// A signing proxy whose credential never changes.
const [upstream = "", clientToken = ""] = process.argv.slice(2);
const credential = {
  kind: "agent",
  authority: "https://authority.example",
  agentRuntimeId: "agent_00000000000-0000-7000-8000-000000000000",
  taskId: "task_00000000000-0000-7000-8000-000000000000",
  key: AgentKey.generate(),
} as const;
const source: CredentialSource = {
  credential: async () => credential,
  refused: async () => undefined,
  accepted: () => {},
};
const proxy = createSigningProxy({ upstream, source: () => source, clientToken });
console.log((await proxy.listen({ host: "127.0.0.1", port: 0 })).url);
