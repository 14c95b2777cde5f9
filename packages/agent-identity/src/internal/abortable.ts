/**
 * Waits for a promise, but not beyond an abort. The promise itself goes on; its late rejection is nobody's.
 *
 * @param abortError - makes what the wait rejects with on an abort
 */
export async function abortable<T>(
  promise: Promise<T>,
  signal: AbortSignal | undefined,
  abortError: (cause: unknown) => Error,
): Promise<T> {
  if (signal === undefined) return await promise;
  promise.catch(() => undefined);
  if (signal.aborted) throw abortError(signal.reason);
  let onAbort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(abortError(signal.reason));
    signal.addEventListener("abort", onAbort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
