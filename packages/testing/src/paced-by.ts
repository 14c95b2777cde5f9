/** Waits between the attempts of a client. */
export type Wait = (delayMs: number, signal: AbortSignal) => Promise<void>;

// Clients of this workspace look for it. It is no option of theirs: a program has no reason to change how they wait.
const PACING = Symbol.for("countersign.pacing");

/**
 * Spread into the options of a client of the authority or of a key set, makes it wait otherwise between its attempts.
 *
 * @param wait - default: not at all
 * @param random - from 0 (included) to 1 (excluded), for the length of the pauses
 */
export function pacedBy(wait: Wait = async () => {}, random?: () => number): object {
  return { [PACING]: { wait, ...(random === undefined ? {} : { random }) } };
}
