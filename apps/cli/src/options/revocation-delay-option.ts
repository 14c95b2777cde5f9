import { REVOCATION_DELAY_SECONDS } from "@countersign/agent-assertion";
import { parseDuration } from "../text/duration.js";

/** The option of servers that verify by a directory. */
export interface RevocationOptions {
  readonly revocationDelay?: string | undefined;
}

/**
 * Reads `--revocation-delay`.
 *
 * @returns seconds
 * @throws {CliError} `usage` if it is not a duration from 0 to 30 seconds
 */
export function revocationDelayOf({ revocationDelay }: RevocationOptions): number {
  const { default: usual, most } = REVOCATION_DELAY_SECONDS;
  return parseDuration(revocationDelay ?? `${usual}s`, "--revocation-delay", { min: 0, max: most });
}
