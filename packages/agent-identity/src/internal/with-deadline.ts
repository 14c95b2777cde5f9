/**
 * Runs with a signal that is aborted after a time, or with the caller's.
 *
 * @param abortError - makes what the run rejects with when its time was over first
 * @param run - gets the signal, and a function that ends the deadline: what waited may go on
 */
export async function withDeadline<T>(
  deadlineMs: number,
  signal: AbortSignal,
  abortError: (cause: unknown) => Error,
  run: (signal: AbortSignal, stop: () => void) => Promise<T>,
): Promise<T> {
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), deadlineMs);
  const stop = () => clearTimeout(timer);
  try {
    return await run(AbortSignal.any([signal, deadline.signal]), stop);
  } catch (error) {
    if (deadline.signal.aborted && !signal.aborted) throw abortError(error);
    throw error;
  } finally {
    stop();
  }
}
