import type { Output } from "../text/output.js";

const MAX_DIFFERENCE_MS = 30_000;
// Of several authorities behind one URL, perhaps one alone differs: its answers come between those of the others.
const AGREES_AFTER_MS = 60_000;

/**
 * Says when the clock of an authority begins to differ by more than 30 s, and when it has not differed for a minute. Assertions are refused by
 * their time.
 *
 * @param now - milliseconds that this machine has run, whatever its clock says
 */
export function tellOfClock(
  authority: string,
  output: Pick<Output, "note" | "warn">,
  now: () => number = () => performance.now(),
): (aheadMs: number) => void {
  let differedAt: number | undefined;
  return (aheadMs) => {
    const isKnown = differedAt !== undefined;
    if (Math.abs(aheadMs) <= MAX_DIFFERENCE_MS) {
      if (differedAt === undefined || now() - differedAt < AGREES_AFTER_MS) return;
      differedAt = undefined;
      output.note(`the clock of the authority ${authority} agrees with this machine's again`);
      return;
    }
    differedAt = now();
    if (isKnown) return;
    const seconds = Math.round(Math.abs(aheadMs) / 1000);
    const side = aheadMs > 0 ? "ahead of" : "behind";
    output.warn(
      `the clock of the authority ${authority} is ${seconds} s ${side} this machine's: set both (timedatectl), or honest agents are refused`,
    );
  };
}
