import { oneAtATime } from "../fixtures/contenders.ts";
import { homeWithThreads, resume } from "../fixtures/many-threads.ts";
import type { SeriesRow } from "../harness/row.ts";
import { measureSizes } from "../harness/series.ts";

const SIZES = [10, 100, 1_000, 10_000, 100_000];

// A program that has just started resumes the same thread in each home. CPU time, so that the disk of this machine does not count.
export const row: SeriesRow = {
  kind: "series",
  time: "cpu",
  name: "threads",
  title: "resume a thread in a home with 100,000 stored threads",
  against: "the same with 10 (CPU)",
  goal: { limit: "at most", value: 1.2 },
  tooLongForQuick: "it makes 111,110 files",
  x: "stored threads",
  y: "CPU time of a resume, µs",
  async measure(run) {
    const homes: Awaited<ReturnType<typeof homeWithThreads>>[] = [];
    try {
      for (const size of SIZES) {
        run.signal.throwIfAborted();
        run.progress(`making a home with ${size} threads`);
        homes.push(await homeWithThreads(size));
      }
      const sizes = homes.map((home, at) => ({
        x: SIZES[at] ?? 0,
        contender: oneAtATime(resume(home)),
      }));
      return await measureSizes(sizes, "cpu", run);
    } finally {
      await Promise.all(homes.map((home) => home.close()));
    }
  },
};
