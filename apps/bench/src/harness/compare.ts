import { setImmediate } from "node:timers/promises";
import type { Comparison, ComparisonRow, Contender, Run } from "./row.ts";
import { median, type Quartiles, quartiles } from "./statistics.ts";

/** Time of one unit of work, µs. */
export interface Slice {
  readonly wall: number;
  readonly cpu: number;
}

/** One slice of each contender, taken one right after the other. */
export interface Round {
  readonly product: Slice;
  readonly peer: Slice;
}

/** What the rounds of a comparison gave. */
export interface Compared {
  readonly wall: Quartiles;
  readonly cpu: Quartiles;
  /** Medians of the time of one unit of work, µs. */
  readonly medians: { readonly product: Slice; readonly peer: Slice };
}

// How many slices' time a contender runs before the first slice that counts.
const WARM_SLICES = 12;

/**
 * Measures two contenders in interleaved slices, and reverses their order in each round: what a noisy machine does to one, it does to its
 * neighbour as well, and what the first of a round leaves to the second is left as often by either.
 */
export async function measureRounds(comparison: Comparison, run: Run): Promise<Round[]> {
  const { product, peer } = comparison;
  const productTimes = await warmUp(product, run);
  const peerTimes = await warmUp(peer, run);
  const rounds: Round[] = [];
  while (rounds.length < run.effort.rounds) {
    const productFirst = rounds.length % 2 === 0;
    const early = productFirst ? await slice(product, productTimes, run) : undefined;
    const ofPeer = await slice(peer, peerTimes, run);
    rounds.push({ product: early ?? (await slice(product, productTimes, run)), peer: ofPeer });
    run.progress(`round ${rounds.length} of ${run.effort.rounds}`);
  }
  return rounds;
}

/** Takes the figure of each round, and then the quartiles of them. */
export function summarise(rounds: readonly Round[], figure: ComparisonRow["figure"]): Compared {
  const of = (time: keyof Slice) =>
    quartiles(rounds.map(({ product, peer }) => figureOf(figure, product[time], peer[time])));
  const middle = (side: keyof Round): Slice => ({
    wall: median(rounds.map((round) => round[side].wall)),
    cpu: median(rounds.map((round) => round[side].cpu)),
  });
  return {
    wall: of("wall"),
    cpu: of("cpu"),
    medians: { product: middle("product"), peer: middle("peer") },
  };
}

function figureOf(figure: ComparisonRow["figure"], product: number, peer: number): number {
  if (figure === "speed") return peer / product;
  if (figure === "cost") return product / peer;
  return (product - peer) / (figure.extra === "ms" ? 1000 : 1);
}

// Doubles the work until it fills a slice, then runs on until the code is warm. Returns how often a slice does the work.
async function warmUp(contender: Contender, run: Run): Promise<number> {
  const { sliceMs } = run.effort;
  const started = performance.now();
  let times = contender.atLeast ?? 1;
  for (;;) {
    const before = performance.now();
    await slice(contender, times, run);
    const took = performance.now() - before;
    if (took < sliceMs) times *= 2;
    else if (performance.now() - started >= sliceMs * WARM_SLICES) {
      return Math.max(contender.atLeast ?? 1, Math.round((times * sliceMs) / took));
    }
  }
}

async function slice(contender: Contender, times: number, run: Run): Promise<Slice> {
  // Lets a signal of the user arrive between two slices that never wait.
  await setImmediate();
  run.signal.throwIfAborted();
  const cpuMicroseconds = contender.cpuMicroseconds ?? ownCpuMicroseconds;
  const cpuBefore = await cpuMicroseconds();
  const before = performance.now();
  const timed = await contender.run(times);
  const wallMs = performance.now() - before;
  const cpu = timed?.cpuMicroseconds ?? (await cpuMicroseconds()) - cpuBefore;
  const wallEach = timed === undefined ? wallMs / times : median(timed.wallMs);
  // A clock of CPU time may stand still for less than its unit.
  return { wall: wallEach * 1000, cpu: Math.max(cpu, 1) / times };
}

function ownCpuMicroseconds(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
