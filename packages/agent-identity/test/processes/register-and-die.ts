// Registers an agent and is killed right behind the given step, counted from 0: `register-and-die.ts AUTHORITY HOME TOKEN USER STEP
// [KEY]`. Prints every step that it came to. With KEY, a private key in PKCS#8, that one is kept outside of the home and signs later. A step that does not come leaves it alive to its end.

import { AgentKey } from "@countersign/agent-key";
import { dieAtStep } from "@countersign/testing/die-at-step";
import { AgentIdentityManager, fileStore, fixedAuth } from "../../src/index.js";

const [authority = "", home = "", accessToken = "", userId = "", step = "", text = ""] =
  process.argv.slice(2);
const key = text === "" ? undefined : AgentKey.importPkcs8(text);
dieAtStep({ step: Number(step), to: 1 });
const manager = new AgentIdentityManager({
  authority,
  auth: fixedAuth({ kind: "human", accountId: "acct-1", userId, accessToken }),
  store: fileStore(home),
  signers: key && [{ publicKey: key.publicKey, sign: async (message) => key.sign(message) }],
  features: { isEnabled: () => true },
});
await manager.ensure();
