import { formatTimestamp } from "@countersign/agent-key";
import { usageError } from "./cli-error.js";
import { parseDuration } from "./duration.js";

const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/i;
const CENTURY = 36_500 * 86_400;

/**
 * Parses a time: RFC 3339, or how long ago it was, such as `30m`.
 *
 * @param option - the option's name, for messages
 * @param nowMs - epoch milliseconds
 * @returns RFC 3339, UTC, whole seconds
 * @throws {CliError} `usage` if it is neither
 */
export function parseInstant(text: string, option: string, nowMs: number): string {
  if (/^\d+[smhd]$/.test(text)) {
    return formatTimestamp(nowMs - 1_000 * parseDuration(text, option, { min: 0, max: CENTURY }));
  }
  const ms = RFC3339.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(ms)) return formatTimestamp(ms);
  throw usageError(
    `${option}: "${text}" is not a time`,
    "write 2026-01-31T12:00:00Z, or how long ago it was, such as 30m, 24h or 7d",
  );
}
