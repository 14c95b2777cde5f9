import { HTTP_DATE } from "./authority-clock.js";

const MAX_SECONDS = 86_400;

/**
 * Reads a `Retry-After` header: seconds, or a date (RFC 9110 §10.2.3).
 *
 * @returns seconds from 0 to 86,400; `undefined`: absent, or of no such form
 */
export function parseRetryAfter(
  value: string | readonly string[] | undefined,
  now: number,
): number | undefined {
  if (typeof value !== "string") return undefined;
  const text = value.trim();
  if (/^\d{1,9}$/.test(text)) return Math.min(Number(text), MAX_SECONDS);
  const date = HTTP_DATE.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(date)) return undefined;
  return Math.min(Math.max(Math.ceil((date - now) / 1000), 0), MAX_SECONDS);
}
