import { usageError } from "./cli-error.js";

/**
 * Parses an integer that was written as digits alone.
 *
 * @param option - the option's name, for messages
 * @throws {CliError} `usage` if it is not one, or outside the range
 */
export function parseInteger(
  text: string,
  option: string,
  { min, max }: { readonly min: number; readonly max: number },
): number {
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw usageError(
    `${option} must be an integer from ${min} to ${max}, got "${text}"`,
    "write digits alone, such as 1000",
  );
}
