/**
 * Waits for a promise, but no longer than until a signal is aborted. What the promise stands for goes on; what becomes of it then is nobody's
 * concern, and a late rejection is not an unhandled one.
 *
 * @param abortError - makes what the wait rejects with out of the signal's reason; by default the reason itself
 */
export async function untilAborted<T>(
  promise: Promise<T>,
  signal: AbortSignal | undefined,
  abortError: (reason: unknown) => unknown = (reason) => reason,
): Promise<T> {
  if (signal === undefined) return await promise;
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(abortError(signal.reason));
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  // What is there at the moment of an abort is not thrown away; what is asked for after it is not given.
  const order = signal.aborted ? [aborted.promise, promise] : [promise, aborted.promise];
  try {
    return await Promise.race(order);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
