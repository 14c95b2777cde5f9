import { commandLine, commandLineHome, EMPTY_PROGRAM } from "../fixtures/command-line.ts";
import { spawning } from "../fixtures/spawning.ts";
import type { ComparisonRow } from "../harness/row.ts";

// A header that was just printed is printed again from a file that holds one. Two threads in turn put each other's out, so that each call reads
// login, agent and task, and signs.
const THREADS = ["thread-1", "thread-2"];

export const row: ComparisonRow = {
  kind: "comparison",
  name: "cli-header",
  title: "countersign header, task in the home",
  against: "node -e 0",
  figure: "cost",
  decides: "cpu",
  goal: { limit: "at most", value: 2 },
  async open() {
    const home = await commandLineHome(THREADS);
    let calls = 0;
    return {
      product: await spawning(() => {
        calls += 1;
        const thread = THREADS[calls % THREADS.length] ?? "";
        return commandLine(["header", "--thread", thread], home.path);
      }),
      peer: await spawning(() => EMPTY_PROGRAM),
      close: home.close,
    };
  },
};
