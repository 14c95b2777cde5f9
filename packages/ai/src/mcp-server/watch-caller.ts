import {
  type AssertionVerifier,
  REVOCATION_DELAY_SECONDS,
  type VerifiedAssertion,
} from "@countersign/agent-assertion";
import { untilAborted } from "@countersign/agent-key";

// A directory that does not answer for this long cannot vouch for what is open (protocol.md, revocation has a bound).
const LONGEST_LOOK_MS = REVOCATION_DELAY_SECONDS.most * 1000;

/**
 * Looks again, on a timer, at who sent a request that is open: whether agent and task are live and allowed.
 *
 * @param everyMs - milliseconds from one look to the next
 * @param onEnded - called once, when a look fails: an `AssertionRejected`, or the error of a directory that cannot answer
 * @returns ends the looks
 */
export function watchCaller(
  verifier: AssertionVerifier,
  agent: VerifiedAssertion,
  everyMs: number,
  onEnded: (error: unknown) => void,
): () => void {
  let isOver = false;
  let isLooking = false;
  const stop = (): void => {
    isOver = true;
    clearInterval(timer);
  };
  const look = async (): Promise<void> => {
    const signal = AbortSignal.timeout(LONGEST_LOOK_MS);
    await untilAborted(verifier.recheck(agent, { signal }), signal);
  };
  const timer = setInterval(() => {
    if (isLooking) return;
    isLooking = true;
    look().then(
      () => {
        isLooking = false;
      },
      (error: unknown) => {
        if (isOver) return;
        stop();
        onEnded(error);
      },
    );
  }, everyMs);
  timer.unref();
  return stop;
}
