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

// How many slices' time a contender runs before the first slice that counts, and how much longer on the clock at most.
const WARM_SLICES = 12;
const LONGEST_WAIT = 10;

/**
 * Measures two contenders in interleaved slices, and reverses their order in each round: what a noisy machine does to one, it does to its
 * neighbour as well, and what the first of a round leaves to the second is left as often by either.
 */
export async function measureRounds(
  comparison: Comparison,
  decides: keyof Slice,
  run: Run,
): Promise<Round[]> {
  const { product, peer } = comparison;
  const productTimes = await warmUp(product, decides, run);
  const peerTimes = await warmUp(peer, decides, run);
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

// Doubles the work until it fills a slice of the time that decides, then runs on until the code is warm. On a busy machine that takes longer:
// a program that waits for a core does not get warm. Returns how often a slice does the work.
export async function warmUp(
  contender: Contender,
  decides: keyof Slice,
  run: Run,
): Promise<number> {
  const { sliceMs } = run.effort;
  const warmMs = sliceMs * WARM_SLICES;
  const started = performance.now();
  const least = contender.atLeast ?? 1;
  let times = least;
  for (let sumMs = 0; ; ) {
    const before = performance.now();
    const each = await slice(contender, times, run);
    const wallMs = performance.now() - before;
    const tookMs = decides === "cpu" ? (each.cpu * times) / 1000 : wallMs;
    sumMs += tookMs;
    const isLate = performance.now() - started >= warmMs * LONGEST_WAIT;
    if (sumMs >= warmMs || isLate) {
      return Math.max(least, Math.round((times * sliceMs) / Math.max(tookMs, sliceMs / 2)));
    }
    if (tookMs < sliceMs) times *= 2;
  }
}

export async function slice(contender: Contender, times: number, run: Run): Promise<Slice> {
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
