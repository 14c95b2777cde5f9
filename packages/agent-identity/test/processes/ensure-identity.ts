// Ensures an identity in a home of its own process's choosing and prints its id: `ensure-identity.ts AUTHORITY HOME TOKEN`.
import { AgentIdentityManager, fileStore, fixedAuth } from "../../src/index.js";

const [authority = "", home = "", accessToken = ""] = process.argv.slice(2);
const manager = new AgentIdentityManager({
  authority,
  auth: fixedAuth({ kind: "human", accountId: "acct-1", userId: "user-1", accessToken }),
  store: fileStore(home),
  features: { isEnabled: () => true },
});
process.stdout.write("ready\n");
process.stdin.once("data", async () => {
  const identity = await manager.ensure();
  process.stdout.write(`${identity?.agentRuntimeId} ${identity?.key.publicKey.line}\n`);
  process.stdin.destroy();
});
