import type { FigureRow } from "../harness/row.ts";
import { authorityLoad } from "../servers/registration-stage.ts";
import { onStage } from "../servers/stage.ts";
import { watchMemory } from "../servers/watch-memory.ts";

const TASKS = 1_000_000;
const REQUESTS = 8_000;

// The tasks are written by another process: what is measured has only served.
export const row: FigureRow = {
  kind: "figure",
  name: "memory-authority",
  title:
    "resident memory of an authority with 1,000,000 tasks, while 8,000 more are registered, SQLite",
  against: "at most 8 MiB of growth over the last half, by least squares",
  unit: "MiB",
  goal: { limit: "at most", value: 250 },
  tooLongForQuick: "1,000,000 tasks must be written",
  measure: (run) =>
    onStage(async (stage) => {
      await using _ = stage;
      return await watchMemory(await authorityLoad(stage, "SQLite", 16, TASKS), REQUESTS, run);
    }),
};
