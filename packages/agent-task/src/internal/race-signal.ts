/**
 * Waits for a promise, but no longer than until the signal is aborted. The promise itself goes on; what becomes of it then is nobody's
 * concern, so a late rejection is no unhandled one.
 *
 * @throws the signal's reason
 */
export async function raceSignal<T>(promise: Promise<T>, signal?: AbortSignal): Promise<T> {
  if (signal === undefined) return await promise;
  let stop = (): void => {};
  const aborted = new Promise<never>((_resolve, reject) => {
    stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
