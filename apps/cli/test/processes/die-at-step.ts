// Loaded before the command (`--import`): prints each step of registrations, rotations and file writes on stderr, and kills the process right
// behind the one that DIE_AT_STEP counts, from 0, or that DIE_AFTER names.
import { subscribe } from "node:diagnostics_channel";
import { writeSync } from "node:fs";
import { basename } from "node:path";

const step = Number(process.env.DIE_AT_STEP ?? -1);
let count = 0;
const look = (message: unknown) => {
  const { event, path } = { path: undefined, ...Object(message) };
  // Whether there is one depends on who was killed before.
  if (event === "lock_broken") return;
  const file = path === undefined ? "" : ` ${basename(path).replace(/^[0-9a-f]{32}/, "named")}`;
  writeSync(2, `step: ${event}${file}\n`);
  if (count === step || event === process.env.DIE_AFTER) process.kill(process.pid, "SIGKILL");
  count += 1;
};
subscribe("countersign:agent-identity", look);
subscribe("countersign:private-file", look);
