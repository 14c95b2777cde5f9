import { AuthorityError } from "../authority-error.js";
import type { AuthorityRetry } from "./authority-request.js";
import type { Pacing } from "./pacing.js";
import { isAway, isPassingAnswer, isRestart } from "./temporary-failure.js";

const FIRST_BACKOFF_MS = 250;
// Of the shortest pause; jitter makes it up to twice as long.
const LONGEST_BACKOFF_MS = 2000;
// Of attempts that fail otherwise than a restart makes them fail, and without a time at which the next one may succeed.
const MOST_OTHER_FAILURES = 3;
// Clients behind one address are all told the same instant. They come back spread over this time.
const LONGEST_SPREAD_MS = 5000;

/** How a call is repeated. */
export interface RetryOptions {
  readonly what: string;
  /** Upper bound of the attempts. Absent: none. */
  readonly attempts: number | undefined;
  readonly deadlineMs: number;
  /** The shortest pause before the third attempt and those after it, in milliseconds. Absent: the back-off's. */
  readonly laterPauseMs: number | undefined;
  readonly signal: AbortSignal | undefined;
  readonly now: () => number;
  readonly pacing: Pacing;
  readonly onRetry: ((retry: AuthorityRetry) => void) | undefined;
}

/**
 * Runs attempts until one succeeds, fails for good, or no other one fits into the deadline (protocol.md §10). What a restart of the authority
 * looks like from outside is repeated until then, and so is 429 with `Retry-After`; time-outs, other connection errors, 429 without it and other
 * 5xx make at most 3 attempts fail.
 *
 * Each attempt but the last gets half of the time that is left, so that one hanging connection does not use it all.
 */
export async function withRetries<T>(
  attempt: (signal: AbortSignal) => Promise<T>,
  options: RetryOptions,
): Promise<T> {
  const { signal: caller, deadlineMs, now } = options;
  const endsAt = now() + deadlineMs;
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(timedOut(options)), deadlineMs);
  const whole = caller === undefined ? deadline.signal : AbortSignal.any([deadline.signal, caller]);
  const { attempts = Number.POSITIVE_INFINITY } = options;
  let otherFailures = 0;
  try {
    for (let count = 1; ; count += 1) {
      throwIfCancelled(options);
      const isLast = count >= attempts || otherFailures >= MOST_OTHER_FAILURES - 1;
      const limitMs = Math.max(endsAt - now(), 0) / (isLast ? 1 : 2);
      const error = await run(attempt, whole, isLast ? undefined : limitMs, options);
      if (!("error" in error)) return error.value;
      throwIfCancelled(options);
      if (deadline.signal.aborted) throw timedOut(options, error.error);
      if (!isAway(error.error) && !isPassingAnswer(error.error)) throw error.error;
      if (!isRestart(error.error) && !isTimed(error.error)) otherFailures += 1;
      if (count >= attempts || otherFailures >= MOST_OTHER_FAILURES) throw error.error;
      const delayMs = backoff(count, error.error, options, endsAt - now());
      // The wait would end after the deadline, so the caller gets the error now.
      if (delayMs >= endsAt - now()) throw error.error;
      options.onRetry?.({ attempt: count, delayMs, error: error.error });
      await pause(delayMs, whole, options.pacing);
      if (deadline.signal.aborted) throw timedOut(options, error.error);
    }
  } finally {
    clearTimeout(timer);
  }
}

async function run<T>(
  attempt: (signal: AbortSignal) => Promise<T>,
  whole: AbortSignal,
  limitMs: number | undefined,
  options: RetryOptions,
): Promise<{ readonly value: T } | { readonly error: AuthorityError }> {
  const limit = new AbortController();
  const timer =
    limitMs === undefined
      ? undefined
      : setTimeout(() => limit.abort(timedOut(options)), Math.ceil(limitMs));
  try {
    return { value: await attempt(AbortSignal.any([whole, limit.signal])) };
  } catch (error) {
    if (AuthorityError.is(error)) return { error };
    // The reason of an abort that came from outside; the caller of this function looks at the signals.
    if (whole.aborted) return { error: cancelled(options, error) };
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

// A quota that is full again at a known time.
function isTimed({ status, retryAfterSeconds }: AuthorityError): boolean {
  return status === 429 && retryAfterSeconds !== undefined;
}

function backoff(
  count: number,
  error: AuthorityError,
  options: RetryOptions,
  remainingMs: number,
): number {
  const base = Math.min(FIRST_BACKOFF_MS * 2 ** (count - 1), LONGEST_BACKOFF_MS);
  const jittered = Math.round(base * (1 + options.pacing.random()));
  const leastMs = count === 1 ? 0 : (options.laterPauseMs ?? 0);
  const askedMs = (error.retryAfterSeconds ?? 0) * 1000;
  const delayMs = Math.max(jittered, leastMs, askedMs);
  if (!isTimed(error)) return delayMs;
  // Half of what is left after the pause stays for the attempt.
  const spreadMs = Math.max(0, Math.min(LONGEST_SPREAD_MS, askedMs, (remainingMs - delayMs) / 2));
  return delayMs + Math.round(spreadMs * options.pacing.random());
}

async function pause(delayMs: number, signal: AbortSignal, { wait }: Pacing): Promise<void> {
  try {
    await wait(delayMs, signal);
  } catch (error) {
    // An abort; the loop says which.
    if (!signal.aborted) throw error;
  }
}

function throwIfCancelled(options: RetryOptions): void {
  if (options.signal?.aborted === true) throw cancelled(options, options.signal.reason);
}

function timedOut(options: RetryOptions, cause?: unknown): AuthorityError {
  return new AuthorityError("timeout", `${options.what} was not answered in time`, {
    cause,
    retryable: true,
    hint: "check that the authority is well, and try again",
  });
}

function cancelled(options: RetryOptions, cause: unknown): AuthorityError {
  return new AuthorityError("cancelled", `${options.what} was cancelled`, { cause });
}
