import type { ProxyLimitOptions } from "@countersign/assertion-proxy";
import { usageError } from "../text/cli-error.js";
import { parseDuration } from "../text/duration.js";

/** The options of both proxies that bound how long an upstream may be silent. */
export interface TimeoutOptions {
  readonly responseTimeout?: string;
  readonly idleTimeout?: string;
}

const RANGE = { min: 1, max: 86_400 };

/**
 * Reads `--response-timeout` and `--idle-timeout`.
 *
 * @throws {CliError} `usage` if one is not a duration from 1 second to a day
 */
export function timeoutsOf({ responseTimeout, idleTimeout }: TimeoutOptions): ProxyLimitOptions {
  return {
    responseMs: milliseconds(responseTimeout, "--response-timeout"),
    idleMs: milliseconds(idleTimeout, "--idle-timeout"),
  };
}

function milliseconds(text: string | undefined, option: string): number | undefined {
  return text === undefined ? undefined : parseDuration(text, option, RANGE) * 1000;
}

/** The options of the signing proxy that say how much it keeps. */
export interface KeptOptions {
  readonly maxThreads?: string;
  readonly replayBodyBytes?: string;
}

const MOST_THREADS = 100_000;
const MOST_REPLAY_BYTES = 1_073_741_824;

/**
 * Reads `--max-threads` and `--replay-body-bytes`.
 *
 * @throws {CliError} `usage` if one is not a whole number in its range
 */
export function keptOf({ maxThreads, replayBodyBytes }: KeptOptions): {
  readonly maxThreads: number | undefined;
  readonly replayBodyBytes: number | undefined;
} {
  return {
    maxThreads: wholeNumber(maxThreads, "--max-threads", 1, MOST_THREADS),
    replayBodyBytes: wholeNumber(replayBodyBytes, "--replay-body-bytes", 0, MOST_REPLAY_BYTES),
  };
}

function wholeNumber(
  text: string | undefined,
  option: string,
  min: number,
  max: number,
): number | undefined {
  if (text === undefined) return undefined;
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw usageError(
    `${option}: "${text}" is not a whole number from ${min} to ${max}`,
    "write digits alone, such as 1000",
  );
}
