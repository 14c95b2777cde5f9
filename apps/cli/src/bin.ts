#!/usr/bin/env node
import { refuseOldNode } from "./node-floor.js";
import { answerQuickly } from "./quick-answer.js";

const args = process.argv.slice(2);
const { stdout, stderr, versions } = process;

// Everything but the two answers that scripts wait for is loaded only when it is needed.
if (refuseOldNode({ version: versions.node, args, stdout, stderr })) {
  process.exitCode = 2;
} else if (!answerQuickly(args, process.env, stdout)) {
  const { main } = await import("./main.js");
  process.exitCode = await main(args);
}
