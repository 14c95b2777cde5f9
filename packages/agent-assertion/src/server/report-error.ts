import { isCallersFault } from "./problem-of.js";

/** Passes an error that is not the caller's fault to the operator's hook. Never throws. */
export function reportError<R>(
  onError: ((error: unknown, request: R) => void) | undefined,
  error: unknown,
  request: R,
): void {
  if (onError === undefined || isCallersFault(error)) return;
  try {
    onError(error, request);
  } catch (fault) {
    // The hook's fault is not the request's, and must not pass unseen either.
    process.emitWarning(fault instanceof Error ? fault : String(fault));
  }
}
