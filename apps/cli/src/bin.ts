#!/usr/bin/env node
import { refuseOldNode } from "./node-floor.js";
import { answerQuickly } from "./quick-answer.js";
import { keepYoungGenerationSmall } from "./young-generation.js";

const args = process.argv.slice(2);
const { stdout, stderr, versions } = process;

// Everything but the two answers that scripts wait for is loaded only when it is needed.
if (refuseOldNode({ version: versions.node, args, stdout, stderr })) {
  process.exitCode = 2;
} else if (!answerQuickly(args, process.env, stdout)) {
  // What the program's own modules allocate would let it grow already.
  if (args[0] === "gateway" || args[0] === "proxy") keepYoungGenerationSmall();
  const { main } = await import("./main.js");
  process.exitCode = await main(args);
}
