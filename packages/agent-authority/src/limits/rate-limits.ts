import { numberIn } from "@countersign/agent-key";
import { checkOption } from "../option-checks.js";

/**
 * What a limit counts: what is refused to one caller; the credentials from one address that are looked at although its refusals are used up;
 * what one user's credential asked for; what one agent signed.
 */
export type LimitKind = "refusals" | "address" | "user" | "agent";

export const LIMIT_KINDS: readonly LimitKind[] = ["refusals", "address", "user", "agent"];

/** Requests in one minute that are let through, by what they are counted by; `"off"` for no limit. */
export interface RateLimitOptions {
  /**
   * Refused requests: of one user or agent, and of one IPv4 address or IPv6 /64 as long as the caller has proved neither a live token nor a
   * key. Beyond it, refusals of this caller are answered 429; an address is let through with what holds, a user or agent registers nothing. Range 1 to 10,000,000. Default 600.
   */
  readonly refusalsPerMinute?: number | "off" | undefined;
  /**
   * Credentials from one IPv4 address or IPv6 /64 that each process looks at after the refusals of that address are used up. Beyond it, only
   * callers are let through that the process knows. Range 1 to 10,000,000. Default 6,000.
   */
  readonly addressPerMinute?: number | "off" | undefined;
  /** By the credential of one user: agent registrations and biscuits. Range 1 to 10,000,000. Default 120. */
  readonly userPerMinute?: number | "off" | undefined;
  /** With the signature of one agent: task registrations. Range 1 to 10,000,000. Default 600. */
  readonly agentPerMinute?: number | "off" | undefined;
}

/** The limits by kind; one that is off is not there. */
export type RateLimits = { readonly [Kind in LimitKind]?: number };

const DEFAULTS: Readonly<Record<LimitKind, number>> = {
  refusals: 600,
  address: 6_000,
  user: 120,
  agent: 600,
};
const PER_MINUTE = numberIn(1, 10_000_000);

/** Fills in the defaults. Throws `config_invalid` for a limit that is out of its range. */
export function resolveRateLimits(options: RateLimitOptions | "off"): RateLimits {
  if (options === "off") return {};
  const limits: { [Kind in LimitKind]?: number } = {};
  for (const kind of LIMIT_KINDS) {
    const value = options[`${kind}PerMinute`] ?? DEFAULTS[kind];
    if (value === "off") continue;
    checkOption(`rateLimits.${kind}PerMinute`, value, PER_MINUTE);
    limits[kind] = value;
  }
  return limits;
}
