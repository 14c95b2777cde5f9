import { compareFirstTurn } from "../fixtures/first-turn.ts";
import type { ComparisonRow } from "../harness/row.ts";

// A program that has just started goes on with a stored thread. Its managers are new each time, so that login, agent and task come from files.
export const row: ComparisonRow = {
  kind: "comparison",
  name: "first-turn-resumed",
  title: "first turn of a resumed thread; 0 round trips, 0 fsync",
  against: "a bare request (p50)",
  figure: { extra: "ms" },
  decides: "wall",
  goal: { limit: "at most", value: 1 },
  shortBecause: "Reading the agent's key and making the first signature are most of it.",
  open: () =>
    compareFirstTurn(async (home) => {
      await home.program("stored").tasks.thread("thread-1").ensure();
      return async () => home.program("stored").tasks.thread("thread-1");
    }),
};
