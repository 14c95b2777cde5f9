import { createVerifier } from "@countersign/agent-assertion";
import { remoteDirectory } from "@countersign/agent-assertion/remote-directory";
import { createVerifyingGateway } from "@countersign/assertion-proxy";

// As `countersign gateway --authority` makes it. Without an authority every guard is in place but the signature: its verifier, an object of the
// measurement's own, takes each header for the same agent's. No option of the product says so.
const [upstream = "", authority] = process.argv.slice(2);
const assertion = {
  agentRuntimeId: "agent_00000000000-0000-7000-8000-000000000000",
  taskId: "task_00000000000-0000-7000-8000-000000000000",
  accountId: "acct-0",
  userId: "user-0",
};
const verifier =
  authority === undefined
    ? ({ verify: async () => assertion, recheck: async () => {} } as never)
    : createVerifier({ directory: remoteDirectory(authority, {}) });
const gateway = createVerifyingGateway({ verifier, upstream, accounts: "any" });
console.log((await gateway.listen({ host: "127.0.0.1", port: 0 })).url);
