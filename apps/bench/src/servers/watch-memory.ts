import type { Figured, Run } from "../harness/row.ts";
import { quartiles } from "../harness/statistics.ts";
import type { ServerLoad } from "./server-contender.ts";

const PARTS = 40;
const MIB = 1_048_576;
// As in the measurement of streams: what equal runs of equal work differ by.
const MOST_GROWTH_MIB = 8;

/**
 * Sends requests and looks at the server's resident memory after each fortieth of them. The figure is that of the last half. It must not grow
 * over the last half: the line of least squares through these looks may rise by 8 MiB at most from their begin to their end.
 */
export async function watchMemory(load: ServerLoad, requests: number, run: Run): Promise<Figured> {
  const { server, generator, connections } = load;
  const count = requests / PARTS;
  const looks: number[] = [];
  while (looks.length < PARTS) {
    run.signal.throwIfAborted();
    await generator.send({ url: server.url, requests: load.requests(count), count, connections });
    looks.push((await server.usage()).rssBytes / MIB);
    const resident = looks.at(-1)?.toFixed(0);
    run.progress(`${looks.length * count} of ${requests} requests: ${resident} MiB`);
  }
  const lastHalf = looks.slice(PARTS / 2);
  const growth = slope(lastHalf) * (lastHalf.length - 1);
  run.progress(`grew by ${growth.toFixed(1)} MiB over the last half`);
  const isFlat = growth <= MOST_GROWTH_MIB;
  return {
    ...quartiles(lastHalf),
    missing: isFlat ? undefined : `it grew by ${growth.toFixed(1)} MiB over the last half`,
  };
}

/** Returns by how much the line of least squares rises from one figure to the next. */
export function slope(figures: readonly number[]): number {
  const middle = (figures.length - 1) / 2;
  let rise = 0;
  let run = 0;
  for (const [at, figure] of figures.entries()) {
    rise += (at - middle) * figure;
    run += (at - middle) ** 2;
  }
  return rise / run;
}
