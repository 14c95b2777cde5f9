import { AgentKeyError } from "./agent-key-error.js";

const FORM = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/;
const MINUTE_MS = 60_000;

// The text of the last minute, up to its seconds: most calls are for the current time.
let lastMinute = Number.NaN;
let lastPrefix = "";

/**
 * Formats an instant as the protocol writes it: RFC 3339, UTC, whole seconds (rounded down), `Z`.
 *
 * @param epochMs - milliseconds since 1970-01-01T00:00:00Z; from the year 0 to 9999
 * @throws {RangeError} when the instant has no such form
 */
export function formatTimestamp(epochMs: number): string {
  const minute = Math.floor(epochMs / MINUTE_MS);
  if (minute !== lastMinute) {
    const text = new Date(minute * MINUTE_MS).toISOString();
    if (text.length !== 24) throw new RangeError("instant outside the years 0 to 9999");
    lastPrefix = text.slice(0, 17);
    lastMinute = minute;
  }
  const second = Math.floor(epochMs / 1000) - minute * 60;
  return `${lastPrefix}${second < 10 ? "0" : ""}${second}Z`;
}

/**
 * Parses a timestamp of exactly the form `YYYY-MM-DDTHH:MM:SSZ` that names a real instant (no 30 February, no hour 24, no second 60).
 *
 * @returns milliseconds since 1970-01-01T00:00:00Z
 * @throws {AgentKeyError} `invalid_request` when the text has another form or names no instant
 * @see RFC 3339 §5.6; docs/protocol.md §3
 */
export function parseTimestamp(text: string): number {
  const hasForm = typeof text === "string" && FORM.test(text);
  const epochMs = hasForm ? Date.parse(text) : Number.NaN;
  // Date.parse rolls some instants over (30 February, hour 24): each of them to another day of a month.
  if (!hasForm || new Date(epochMs).getUTCDate() !== Number(text.slice(8, 10))) {
    throw new AgentKeyError("invalid_request", "not a timestamp of the form YYYY-MM-DDTHH:MM:SSZ");
  }
  return epochMs;
}

const INSTANT = /^(\d{4}-\d\d-\d\d)T(?!24)\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

/**
 * Whether the text names a real instant as RFC 3339 writes it, with any offset, with or without fractions of a second. What it takes, `Date.parse`
 * reads.
 *
 * @see RFC 3339 §5.6; docs/protocol.md §3
 */
export function isInstant(text: string): boolean {
  const day = INSTANT.exec(text)?.[1] ?? "";
  // Date.parse refuses most of what is out of range, but rolls the last days of a short month over.
  return day !== "" && Date.parse(text) < 1e15 && new Date(day).toJSON().startsWith(day);
}
