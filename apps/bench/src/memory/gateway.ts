import { createVerifier, memoryDirectory } from "@countersign/agent-assertion";
import { AgentKey } from "@countersign/agent-key";
import { createProxyMetrics, createVerifyingGateway } from "@countersign/assertion-proxy";
import { ACCOUNT, AGENT, AUTHORITY, readSetting } from "./setting.ts";

const { upstream, pkcs8 } = await readSetting();
const directory = memoryDirectory({
  authority: AUTHORITY,
  agents: [
    {
      agentRuntimeId: AGENT.agentRuntimeId,
      accountId: ACCOUNT,
      userId: "user-1",
      capabilities: [],
      publicKeys: [AgentKey.importPkcs8(pkcs8).publicKey],
      state: "active",
    },
  ],
  tasks: [{ ...AGENT, state: "active" }],
});
const gateway = createVerifyingGateway({
  verifier: createVerifier({ directory }),
  upstream,
  accounts: [ACCOUNT],
  metrics: createProxyMetrics(),
});
console.log((await gateway.listen({ host: "127.0.0.1", port: 0 })).url);
