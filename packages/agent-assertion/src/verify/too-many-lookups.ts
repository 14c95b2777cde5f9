import type { CountersignErrorOptions } from "@countersign/agent-key";
import { AgentAssertionError } from "../agent-assertion-error.js";

/**
 * Which bound of first lookups was reached.
 *
 * - `lookups`: all places of those that wait are taken
 * - `lookups_by_source`: the share of the request's source is taken
 * - `unknown_by_source`: the source asked for too many ids that do not exist
 */
export type LookupLimit = "lookups" | "lookups_by_source" | "unknown_by_source";

/** What a {@link TooManyLookups} carries beside its message. */
export interface TooManyLookupsOptions extends CountersignErrorOptions {
  readonly limit?: LookupLimit | undefined;
}

const RETRY_AFTER_SECONDS = 5;

/**
 * A request that was not checked, because too many others wait until an agent or task is looked up for the first time. Says nothing of the
 * assertion. Answer it with `problemOf`: 429 for `rate_limited`, which is the share of one source, and 503 for `server_error`.
 */
export class TooManyLookups extends AgentAssertionError {
  static override readonly brandName: string = "TooManyLookups";
  readonly limit: LookupLimit;
  /** When the same request may be sent again, in seconds from now. */
  readonly retryAfterSeconds: number = RETRY_AFTER_SECONDS;

  constructor(
    code: "rate_limited" | "server_error",
    message: string,
    options: TooManyLookupsOptions = {},
  ) {
    super(code, message, { retryable: true, ...options });
    this.limit = options.limit ?? "lookups";
  }
}
