import { usageError } from "./cli-error.js";

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/**
 * Parses a duration such as `15s`, `30m`, `24h` or `30d`.
 *
 * @param option - the option's name, for messages
 * @returns whole seconds
 * @throws {CliError} `usage` when it is not one, or outside the range
 */
export function parseDuration(
  text: string,
  option: string,
  range: { readonly min: number; readonly max: number },
): number {
  const match = /^(\d{1,9})([smhd])$/.exec(text);
  const seconds = Number(match?.[1]) * (SECONDS[match?.[2] ?? ""] ?? Number.NaN);
  if (Number.isNaN(seconds)) {
    throw usageError(
      `${option}: "${text}" is no duration`,
      "write a number and s, m, h or d, such as 24h",
    );
  }
  if (seconds < range.min || seconds > range.max) {
    throw usageError(`${option}: ${text} is out of range`, `from ${range.min}s to ${range.max}s`);
  }
  return seconds;
}
