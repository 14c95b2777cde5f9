import type { Run } from "../config/run.js";
import { toReportedError } from "../home/to-reported-error.js";
import { hintOf } from "../text/exit-code.js";

/** What one check of `doctor` found. */
export interface Finding {
  readonly name: string;
  readonly state: "ok" | "warn" | "fail";
  readonly message: string;
  /** What to do about it. */
  readonly remedy?: string | undefined;
}

/** What a check says; its name is added by {@link check}. */
export type Verdict = Omit<Finding, "name">;

/** Makes the verdict of a check that found nothing to mend. */
export function ok(message: string): Verdict {
  return { state: "ok", message };
}

/** Makes the verdict of a check that found what may be intended, or mends itself. */
export function warn(message: string, remedy: string): Verdict {
  return { state: "warn", message, remedy };
}

/** Makes the verdict of a check that found what keeps requests from being signed or accepted. */
export function fail(message: string, remedy: string): Verdict {
  return { state: "fail", message, remedy };
}

/** Does one check; what it throws is what it found. `undefined`: there is nothing to look at. */
export async function check(
  run: Run,
  name: string,
  work: () => Promise<Verdict | undefined>,
): Promise<Finding | undefined> {
  try {
    const verdict = await work();
    return verdict && { name, ...verdict };
  } catch (error) {
    const reported = toReportedError(error, run.signal);
    // The user asked to stop, and needs no list of the checks that were not made.
    if (reported.code === "cancelled") throw error;
    const message = `${reported.message} (${reported.code})`;
    return { name, state: "fail", message, remedy: hintOf(reported) };
  }
}
