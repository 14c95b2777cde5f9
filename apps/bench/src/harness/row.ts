import type { Quartiles } from "./statistics.ts";

/** How much work a run does. */
export interface Effort {
  /** Rounds of a comparison: in each, every contender gets one slice. */
  readonly rounds: number;
  /** How long a slice takes, about, ms. */
  readonly sliceMs: number;
}

/** What a row is given while it is measured. */
export interface Run {
  readonly effort: Effort;
  /** Ends when the user interrupts the run. */
  readonly signal: AbortSignal;
  /** Says on stderr what is being done. */
  readonly progress: (text: string) => void;
}

/** The limit that a row's result is held against. */
export interface Goal {
  readonly limit: "at least" | "at most";
  readonly value: number;
}

interface RowText {
  /** The name of its file, and what `--rows` selects by. */
  readonly name: string;
  /** What is measured, as the table shows it. */
  readonly title: string;
  /** What it is compared with, in plain words. */
  readonly against: string;
  readonly goal: Goal;
  /** The reason that was found for a result short of its goal. Shown only then. */
  readonly shortBecause?: string;
  /** Why `--quick` leaves this row out. Absent: it does not. */
  readonly tooLongForQuick?: string;
}

/** Times that a contender has taken itself. */
export interface Timed {
  /** One for each time that the work was done, ms. Their median is the wall time of the slice. */
  readonly wallMs: readonly number[];
  /** For all of them together. */
  readonly cpuMicroseconds: number;
}

/** One side of a comparison, in its warm state. */
export interface Contender {
  /** Does the measured work that many times. Returns nothing if the whole of it counts, equally for each time. */
  readonly run: (times: number) => Promise<Timed | undefined> | undefined;
  /** CPU time that the process under test has used so far, µs. Default: that of this process. */
  readonly cpuMicroseconds?: () => Promise<number> | number;
  /** The fewest times that one slice does the work. Default 1. */
  readonly atLeast?: number;
}

/** Two contenders that do equal work. */
export interface Comparison {
  readonly product: Contender;
  readonly peer: Contender;
  /**
   * Runs once after the last round. Rejects if what was measured was not the work that it should be.
   *
   * @returns what else the goal asks for and does not hold: the row is then short
   */
  readonly check?: () => Promise<string | undefined> | string | undefined;
  /** Runs also after a failure or an interruption. */
  readonly close?: () => Promise<void> | void;
}

/** A row with two contenders, measured in interleaved slices. */
export interface ComparisonRow extends RowText {
  readonly kind: "comparison";
  /**
   * What each round gives: `speed` is peer time ÷ product time, `cost` is product time ÷ peer time, and `extra` is product time − peer
   * time in the row's unit.
   */
  readonly figure: "speed" | "cost" | { readonly extra: "µs" | "ms" };
  /** Which time decides. The other one is shown beside it. */
  readonly decides: "wall" | "cpu";
  readonly open: (run: Run) => Promise<Comparison>;
}

/** The figure of a {@link FigureRow}. */
export interface Figured extends Quartiles {
  /** What else the goal asks for and does not hold: the row is then short. */
  readonly missing?: string | undefined;
}

/** A row with one figure that has no peer, such as memory. */
export interface FigureRow extends RowText {
  readonly kind: "figure";
  readonly unit: string;
  readonly measure: (run: Run) => Promise<Figured>;
}

/** A point of a plot: the quartiles of `y` at `x`. */
export interface Point {
  readonly x: number;
  readonly y: Quartiles;
}

/** A row that shows how a cost grows. Its figure is the median at the last point ÷ the median at the first. */
export interface SeriesRow extends RowText {
  readonly kind: "series";
  /** Which time the points show. */
  readonly time: "wall" | "cpu";
  /** Axis labels with units. Both axes are logarithmic. */
  readonly x: string;
  readonly y: string;
  readonly measure: (run: Run) => Promise<readonly Point[]>;
}

/** Something that is measured, with its goal. */
export type Row = ComparisonRow | FigureRow | SeriesRow;
