import { type Slice, slice, warmUp } from "./compare.ts";
import type { Contender, Point, Run } from "./row.ts";
import { quartiles } from "./statistics.ts";

/** The same work at one size of the data. */
export interface SizedContender {
  readonly x: number;
  readonly contender: Contender;
}

/**
 * Measures the same work at several sizes in interleaved slices, from small to large and back, so that noise hits all sizes alike.
 *
 * @param time - which time the points show, µs for each unit of work
 */
export async function measureSizes(
  sizes: readonly SizedContender[],
  time: keyof Slice,
  run: Run,
): Promise<Point[]> {
  const warm: { x: number; contender: Contender; times: number; figures: number[] }[] = [];
  for (const size of sizes) {
    warm.push({ ...size, times: await warmUp(size.contender, time, run), figures: [] });
  }
  for (let round = 1; round <= run.effort.rounds; round += 1) {
    for (const size of round % 2 === 0 ? warm.toReversed() : warm) {
      size.figures.push((await slice(size.contender, size.times, run))[time]);
    }
    run.progress(`round ${round} of ${run.effort.rounds}`);
  }
  return warm.map(({ x, figures }) => ({ x, y: quartiles(figures) }));
}
