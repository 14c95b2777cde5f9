// Registers an agent for the stored login, stands still at one step until a line comes, and prints whose agent it has:
// `register-step-by-step.ts AUTHORITY HOME STEP`.
import { subscribe } from "node:diagnostics_channel";
import { readSync, writeSync } from "node:fs";
import { AgentIdentityManager, fileStore, IDENTITY_CHANNEL, loginAuth } from "../../src/index.js";

const [authority = "", home = "", step = ""] = process.argv.slice(2);
let isDone = false;
subscribe(IDENTITY_CHANNEL, (message) => {
  const { event } = Object(message);
  if (event !== step || isDone) return;
  isDone = true;
  writeSync(1, `at ${event}\n`);
  // The whole process stands still: nothing of the step after it has begun.
  readSync(0, Buffer.alloc(1));
});
const store = fileStore(home);
const manager = new AgentIdentityManager({
  authority,
  auth: loginAuth(store, authority),
  store,
  features: { isEnabled: () => true },
});
const identity = await manager.ensure();
writeSync(1, `has ${identity === undefined ? "none" : identity.accountId}\n`);
