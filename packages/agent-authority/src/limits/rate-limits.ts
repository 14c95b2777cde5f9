import { numberIn } from "@countersign/agent-key";
import { checkOption } from "../option-checks.js";

/** What a limit is by: where requests come from, whose credential they carry, which agent signed them. */
export type LimitKind = "address" | "user" | "agent";

/** Requests in one minute that are let through, by what they are counted by; `"off"` for no limit. */
export interface RateLimitOptions {
  /** From one IPv4 address or one IPv6 /64: registrations, biscuits, and whatever was refused. Range 1 to 10,000,000. Default 600. */
  readonly addressPerMinute?: number | "off" | undefined;
  /** By the credential of one user: agent registrations and biscuits. Range 1 to 10,000,000. Default 120. */
  readonly userPerMinute?: number | "off" | undefined;
  /** With the signature of one agent: task registrations. Range 1 to 10,000,000. Default 600. */
  readonly agentPerMinute?: number | "off" | undefined;
}

/** The limits by kind; one that is off is not there. */
export type RateLimits = { readonly [Kind in LimitKind]?: number };

const DEFAULTS: Readonly<Record<LimitKind, number>> = { address: 600, user: 120, agent: 600 };
const PER_MINUTE = numberIn(1, 10_000_000);

/** Fills in the defaults. Throws `config_invalid` for a limit that is out of its range. */
export function resolveRateLimits(options: RateLimitOptions | "off"): RateLimits {
  if (options === "off") return {};
  const limits: { [Kind in LimitKind]?: number } = {};
  for (const kind of ["address", "user", "agent"] as const) {
    const value = options[`${kind}PerMinute`] ?? DEFAULTS[kind];
    if (value === "off") continue;
    checkOption(`rateLimits.${kind}PerMinute`, value, PER_MINUTE);
    limits[kind] = value;
  }
  return limits;
}
