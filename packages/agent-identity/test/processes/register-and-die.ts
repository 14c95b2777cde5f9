// Registers an agent and is killed right behind the given step, counted from 0: `register-and-die.ts AUTHORITY HOME TOKEN USER STEP`. Prints
// every step that it came to. A step that does not come leaves it alive to its end.
import { dieAtStep } from "@countersign/testing/die-at-step";
import { AgentIdentityManager, fileStore, fixedAuth } from "../../src/index.js";

const [authority = "", home = "", accessToken = "", userId = "", step = ""] = process.argv.slice(2);
dieAtStep({ step: Number(step), to: 1 });
const manager = new AgentIdentityManager({
  authority,
  auth: fixedAuth({ kind: "human", accountId: "acct-1", userId, accessToken }),
  store: fileStore(home),
  features: { isEnabled: () => true },
});
await manager.ensure();
