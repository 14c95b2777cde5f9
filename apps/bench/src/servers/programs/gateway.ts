import { createVerifier, memoryDirectory } from "@countersign/agent-assertion";
import { AgentPublicKey } from "@countersign/agent-key";
import { createVerifyingGateway } from "@countersign/assertion-proxy";

// A gateway whose directory holds one agent: what an authority is asked for depends on the time and not on the requests. Without an agent every
// guard is in place but the signature: its verifier, an object of the measurement's own, takes each header for the same agent's. No option of
// the product says so.
const [upstream = "", agentRuntimeId, publicKey = "", ...taskIds] = process.argv.slice(2);
const assertion = {
  agentRuntimeId: "agent_00000000000-0000-7000-8000-000000000000",
  taskId: "task_00000000000-0000-7000-8000-000000000000",
  accountId: "acct-0",
  userId: "user-0",
};
const verifier =
  agentRuntimeId === undefined
    ? ({ verify: async () => assertion, recheck: async () => {} } as never)
    : createVerifier({ directory: directoryOf(agentRuntimeId) });
const gateway = createVerifyingGateway({ verifier, upstream, accounts: "any" });
console.log((await gateway.listen({ host: "127.0.0.1", port: 0 })).url);

function directoryOf(id: string) {
  return memoryDirectory({
    authority: "https://authority.example",
    agents: [
      {
        agentRuntimeId: id,
        accountId: "acct-0",
        userId: "user-0",
        capabilities: [],
        publicKeys: [AgentPublicKey.parse(publicKey)],
        state: "active",
      },
    ],
    tasks: taskIds.map((taskId) => ({ agentRuntimeId: id, taskId, state: "active" })),
  });
}
