import type { CloseOptions } from "@countersign/assertion-proxy";
import { parseDuration } from "../text/duration.js";

/** The option of servers that stand behind a load balancer. */
export interface DrainOptions {
  readonly drainDelay?: string | undefined;
  readonly drainTimeout?: string | undefined;
}

/**
 * Reads `--drain-delay` and `--drain-timeout`.
 *
 * @returns how the server is closed
 * @throws {CliError} `usage` if the delay is not a duration from 0 seconds to 10 minutes, or the time-out not one from 0 seconds to an hour
 */
export function closeOptionsOf({
  drainDelay = "0s",
  drainTimeout = "10s",
}: DrainOptions): CloseOptions {
  return {
    delayMs: parseDuration(drainDelay, "--drain-delay", { min: 0, max: 600 }) * 1000,
    drainMs: parseDuration(drainTimeout, "--drain-timeout", { min: 0, max: 3600 }) * 1000,
  };
}
