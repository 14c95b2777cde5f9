import type { Output } from "../text/output.js";

const MAX_DIFFERENCE_MS = 30_000;

/** Says when the clock of an authority begins to differ by more than 30 s, and when it agrees again. Assertions are refused by their time. */
export function tellOfClock(
  authority: string,
  output: Pick<Output, "note" | "warn">,
): (aheadMs: number) => void {
  let differs = false;
  return (aheadMs) => {
    const differed = differs;
    differs = Math.abs(aheadMs) > MAX_DIFFERENCE_MS;
    if (differs === differed) return;
    if (!differs) {
      output.note(`the clock of the authority ${authority} agrees with this machine's again`);
      return;
    }
    const seconds = Math.round(Math.abs(aheadMs) / 1000);
    const side = aheadMs > 0 ? "ahead of" : "behind";
    output.warn(
      `the clock of the authority ${authority} is ${seconds} s ${side} this machine's: set both (timedatectl), or honest agents are refused`,
    );
  };
}
