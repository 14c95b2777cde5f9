// Rotates the key of an agent and is killed right behind the given step, counted from 0: `rotate-and-die.ts AUTHORITY HOME TOKEN USER STEP
// COMPROMISED`. Prints every step that it came to. A step that does not come leaves it alive to its end.
import { subscribe } from "node:diagnostics_channel";
import { writeSync } from "node:fs";
import { basename } from "node:path";
import { PRIVATE_FILE_CHANNEL } from "@countersign/private-file";
import { AgentIdentityManager, fileStore, fixedAuth, IDENTITY_CHANNEL } from "../../src/index.js";

const [authority = "", home = "", accessToken = "", userId = "", step = "", compromised = ""] =
  process.argv.slice(2);
let count = 0;
const look = (message: unknown) => {
  const { event, path } = { path: undefined, ...Object(message) };
  const file = path === undefined ? "" : ` ${basename(path).replace(/^[0-9a-f]{32}/, "named")}`;
  writeSync(1, `${event}${file}\n`);
  if (count === Number(step)) process.kill(process.pid, "SIGKILL");
  count += 1;
};
subscribe(IDENTITY_CHANNEL, look);
subscribe(PRIVATE_FILE_CHANNEL, look);
const manager = new AgentIdentityManager({
  authority,
  auth: fixedAuth({ kind: "human", accountId: "acct-1", userId, accessToken }),
  store: fileStore(home),
  features: { isEnabled: () => true },
});
await manager.rotate({ compromised: compromised === "true" });
