import type { SeriesRow } from "../harness/row.ts";
import { measureSizes, type SizedContender } from "../harness/series.ts";
import { authorityLoad } from "../servers/registration-stage.ts";
import { serverContender } from "../servers/server-contender.ts";
import { onStage } from "../servers/stage.ts";
import { TASK_COUNTS } from "../servers/task-counts.ts";

export const row: SeriesRow = {
  kind: "series",
  time: "cpu",
  name: "tasks-register",
  title: "a task registration, from 10 to 1,000,000 tasks in the database, SQLite",
  against: "the smallest database",
  x: "tasks in the database",
  y: "CPU of the authority for one registration, µs",
  goal: { limit: "at most", value: 1.3 },
  tooLongForQuick: "1,000,000 tasks must be written",
  measure: (run) =>
    onStage(async (stage) => {
      await using _ = stage;
      const sizes: SizedContender[] = [];
      for (const tasks of TASK_COUNTS) {
        run.progress(`writes ${tasks} tasks`);
        const load = await authorityLoad(stage, "SQLite", 16, tasks);
        sizes.push({ x: tasks, contender: serverContender(load) });
      }
      return await measureSizes(sizes, "cpu", run);
    }),
};
