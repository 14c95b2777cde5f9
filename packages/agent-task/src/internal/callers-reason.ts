/**
 * Runs a call of a program. As `fetch` has it, a caller that ended the call gets the reason of its own signal, not what became of the call.
 *
 * @throws the signal's reason once it is aborted; otherwise what the call throws
 */
export async function withCallersReason<T>(
  signal: AbortSignal | undefined,
  call: () => Promise<T>,
): Promise<T> {
  try {
    return await call();
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}
