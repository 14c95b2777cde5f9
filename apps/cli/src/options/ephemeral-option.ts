import { parseDuration } from "../text/duration.js";

const HOUR_SECONDS = 3_600;
const WEEK_SECONDS = 604_800;

/** Reads `--ephemeral [life]`: the seconds that the agent is to live, one hour unless a duration is given. Throws `usage`. */
export function parseEphemeral(given: string | true | undefined): number | undefined {
  if (given === undefined) return undefined;
  if (given === true) return HOUR_SECONDS;
  return parseDuration(given, "--ephemeral", { min: 1, max: WEEK_SECONDS });
}
