import type { ProxyLimitOptions } from "@countersign/assertion-proxy";
import { parseDuration } from "../text/duration.js";
import { parseInteger } from "../text/integer.js";

/** The options of both proxies that bound how long an upstream may be silent. */
export interface TimeoutOptions {
  readonly responseTimeout?: string | undefined;
  readonly idleTimeout?: string | undefined;
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
 * @throws {CliError} `usage` if one is not an integer in its range
 */
export function keptOf({ maxThreads, replayBodyBytes }: KeptOptions): {
  readonly maxThreads: number | undefined;
  readonly replayBodyBytes: number | undefined;
} {
  return {
    maxThreads: integer(maxThreads, "--max-threads", { min: 1, max: MOST_THREADS }),
    replayBodyBytes: integer(replayBodyBytes, "--replay-body-bytes", {
      min: 0,
      max: MOST_REPLAY_BYTES,
    }),
  };
}

function integer(
  text: string | undefined,
  option: string,
  range: { readonly min: number; readonly max: number },
): number | undefined {
  return text === undefined ? undefined : parseInteger(text, option, range);
}
