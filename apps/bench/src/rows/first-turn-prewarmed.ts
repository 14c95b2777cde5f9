import { once } from "node:events";
import { compareFirstTurn } from "../fixtures/first-turn.ts";
import type { ComparisonRow } from "../harness/row.ts";

// Prewarming is what a program does while its human is still typing, so that it is not measured; what it leaves to the turn is.
export const row: ComparisonRow = {
  kind: "comparison",
  name: "first-turn-prewarmed",
  title: "first turn of a prewarmed thread; 0 round trips, 0 fsync",
  against: "a bare request (p50)",
  figure: { extra: "ms" },
  decides: "wall",
  goal: { limit: "at most", value: 1 },
  open: () =>
    compareFirstTurn(async (home) => {
      const { tasks } = home.program("fixed");
      let made = 0;
      return async () => {
        made += 1;
        const thread = tasks.thread(`thread-${made}`);
        const registered = once(tasks, "registered");
        thread.prewarm();
        await registered;
        return thread;
      };
    }),
};
