import { quantileSorted } from "d3-array";

/** The middle of a set of figures, and the range that half of them lie in. */
export interface Quartiles {
  readonly low: number;
  readonly median: number;
  readonly high: number;
}

/**
 * Returns median and quartiles, interpolated between neighbours.
 *
 * @throws {RangeError} if there is no figure, or one is not finite
 */
export function quartiles(figures: readonly number[]): Quartiles {
  if (figures.length === 0 || !figures.every(Number.isFinite)) {
    throw new RangeError(`at least one figure is needed, all finite, got ${figures.join(", ")}`);
  }
  const sorted = [...figures].sort((one, other) => one - other);
  const at = (p: number) => quantileSorted(sorted, p) ?? Number.NaN;
  return { low: at(0.25), median: at(0.5), high: at(0.75) };
}

/** Returns the median alone. */
export function median(figures: readonly number[]): number {
  return quartiles(figures).median;
}

/** Returns the figure that this part of the set does not exceed, interpolated between neighbours. */
export function quantile(figures: readonly number[], part: number): number {
  return (
    quantileSorted(
      [...figures].sort((one, other) => one - other),
      part,
    ) ?? Number.NaN
  );
}
