import type { ProxyLimitOptions } from "@countersign/assertion-proxy";
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
