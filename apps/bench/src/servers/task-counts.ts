/** Sizes of the databases of plots: live tasks. */
export const TASK_COUNTS = [10, 1_000, 100_000, 1_000_000];
