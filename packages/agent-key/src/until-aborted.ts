/**
 * Waits for a promise until it settles or a signal is aborted. An abort does not stop the work behind the promise: the work goes on, its
 * result is ignored, and a late rejection is not reported as unhandled.
 *
 * @param abortError - makes the error that the wait rejects with from the signal's reason. Default: the reason itself
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
  // A result that is there when the signal is aborted is given. If the signal was aborted before the call, the abort comes first.
  const order = signal.aborted ? [aborted.promise, promise] : [promise, aborted.promise];
  try {
    return await Promise.race(order);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
