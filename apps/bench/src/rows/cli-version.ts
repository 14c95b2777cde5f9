import { commandLine, EMPTY_PROGRAM } from "../fixtures/command-line.ts";
import { spawning } from "../fixtures/spawning.ts";
import type { ComparisonRow } from "../harness/row.ts";

// Both are started in the same way by the same Node; the CPU time is that of the whole process.
export const row: ComparisonRow = {
  kind: "comparison",
  name: "cli-version",
  title: "countersign --version",
  against: "node -e 0",
  figure: "cost",
  decides: "cpu",
  goal: { limit: "at most", value: 1.3 },
  async open() {
    return {
      product: await spawning(() => commandLine(["--version"])),
      peer: await spawning(() => EMPTY_PROGRAM),
    };
  },
};
