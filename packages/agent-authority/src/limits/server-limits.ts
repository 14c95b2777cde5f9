import { LONGEST_TIMER_MS, numberIn } from "@countersign/agent-key";
import { AgentAuthorityError } from "../agent-authority-error.js";
import { checkOption } from "../option-checks.js";

/** What an authority takes on at the same time, and from one connection. Times in milliseconds. */
export interface ServerLimits {
  /** Requests in work; more are answered 503 before anything of their body is read. Default 512. */
  readonly maxRequests: number;
  /** How long the event loop may be held up, by the median of half a second, before requests are answered 503. Default 1,000. */
  readonly maxEventLoopDelayMs: number;
  /** Bytes of one body. Default 65,536: the largest registration has room in it. */
  readonly maxBodyBytes: number;
  /** Bytes of a request's head. Default 40,960: a token of an issuer has up to 32,768, for instance with many groups. */
  readonly maxHeaderBytes: number;
  /** Until a request's head must have arrived. Default 10,000. */
  readonly requestHeadMs: number;
  /** Until a request must have arrived whole; as long again until its answer must have been taken, else the connection is ended. Default 30,000. */
  readonly requestMs: number;
  /** How long a connection is kept without a request. Default 5,000. */
  readonly keepAliveMs: number;
  /** Connections of one listener; more are closed. Default 2,000. */
  readonly maxConnections: number;
  /**
   * Connections of one listener from one IPv4 address or IPv6 /64; more are closed. So many requests in work as well, over however many
   * connections, also behind a trusted proxy. Fewer than `maxRequests`, so that no machine takes all places by itself. Trusted proxies
   * themselves have no such limit. Default 256.
   */
  readonly maxConnectionsPerAddress: number;
}

/** A caller's part of {@link ServerLimits}. */
export type ServerLimitOptions = { readonly [Name in keyof ServerLimits]?: number | undefined };

const DEFAULTS: ServerLimits = {
  maxRequests: 512,
  maxEventLoopDelayMs: 1_000,
  maxBodyBytes: 65_536,
  maxHeaderBytes: 40_960,
  requestHeadMs: 10_000,
  requestMs: 30_000,
  keepAliveMs: 5_000,
  maxConnections: 2_000,
  maxConnectionsPerAddress: 256,
};

const LIMIT = numberIn(1, LONGEST_TIMER_MS);

/** Fills in the defaults. Throws `config_invalid` for a limit that is out of its range. */
export function resolveServerLimits(options: ServerLimitOptions): ServerLimits {
  const limits = { ...DEFAULTS };
  for (const name of Object.keys(DEFAULTS) as (keyof ServerLimits)[]) {
    const value = options[name] ?? DEFAULTS[name];
    checkOption(`limits.${name}`, value, LIMIT);
    limits[name] = value;
  }
  // Node takes a head that never ends for a whole request that is late, and answers neither in time.
  if (limits.requestHeadMs <= limits.requestMs) return limits;
  throw new AgentAuthorityError(
    "config_invalid",
    `limits.requestHeadMs must be at most limits.requestMs, ${limits.requestMs}, got ${limits.requestHeadMs}`,
    { hint: "give a request's head no more time than the whole request" },
  );
}
