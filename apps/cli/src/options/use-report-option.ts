import { parseDuration } from "../text/duration.js";

/** The longest time between two reports. */
export const MAX_USE_REPORT_SECONDS = 3_600;
const USUAL = "60s";

/** The option of servers that report to the authority which agents were used. */
export interface UseReportOptions {
  readonly useReportInterval?: string | undefined;
}

/**
 * Reads `--use-report-interval`.
 *
 * @returns seconds; 0: nothing is reported
 * @throws {CliError} `usage` if it is not a duration from 0 to an hour
 */
export function useReportSecondsOf({ useReportInterval = USUAL }: UseReportOptions): number {
  const range = { min: 0, max: MAX_USE_REPORT_SECONDS };
  return parseDuration(useReportInterval, "--use-report-interval", range);
}
