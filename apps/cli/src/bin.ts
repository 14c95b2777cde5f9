#!/usr/bin/env node
import { refuseOldNode } from "./process/node-floor.js";
import { readVersion } from "./version.js";

// Built as one file with all that it needs, so that nothing is looked up in other packages.
const KNOWN_HEADER = "./known-header.cjs";

const args = process.argv.slice(2);

// Everything but the two answers that scripts wait for is loaded only when it is needed.
if (refuseOldNode({ version: process.versions.node, args, streams: process })) {
  process.exitCode = 2;
} else if (args.length === 1 && args[0] === "--version") {
  process.stdout.write(`${readVersion()}\n`);
} else {
  const line = args[0] === "header" ? await knownHeader() : undefined;
  if (line === undefined) process.exitCode = await runProgram();
  else process.stdout.write(`${line}\n`);
}

async function knownHeader(): Promise<string | undefined> {
  const { signKnownHeader } = (await import(
    KNOWN_HEADER
  )) as typeof import("./header/known-header.js");
  return signKnownHeader({
    args,
    environment: process.env,
    version: readVersion(),
    now: Date.now(),
  });
}

async function runProgram(): Promise<number> {
  if (["gateway", "authorize", "proxy"].includes(args[0] ?? "")) {
    // What the program's own modules allocate would let it grow already.
    const { keepSemiSpaceSmall } = await import("./process/semi-space.js");
    keepSemiSpaceSmall();
  }
  const { main } = await import("./main.js");
  return await main(args);
}
