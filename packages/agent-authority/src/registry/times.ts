import { formatTimestamp, numberIn } from "@countersign/agent-key";

/** How long an unproven claim to a key lasts (protocol §5.4). */
const CLAIM_LIFETIME_MS = 24 * 3_600_000;

/** The longest lifetime that is granted, ten years, so that every end of life has a four-digit year. */
export const MAX_TTL_SECONDS = 315_360_000;

/** What a lifetime that is asked for must be. */
export const ASKED_TTL = numberIn(1, MAX_TTL_SECONDS, { optional: false });

/** One instant in the forms that queries compare with. */
export interface Instant {
  readonly epochMs: number;
  /** What rows hold. */
  readonly text: string;
  /** Unproven claims made at or before this have lapsed. */
  readonly lapsedClaim: string;
}

/** Reads a clock once, so that all comparisons of one operation agree. */
export function instantOf(now: () => number): Instant {
  const epochMs = now();
  return {
    epochMs,
    text: formatTimestamp(epochMs),
    lapsedClaim: formatTimestamp(epochMs - CLAIM_LIFETIME_MS),
  };
}

/** The end of something that lives so many seconds from an instant on, as rows hold it. */
export function endOfLife(instant: Instant, ttlSeconds: number): string {
  return formatTimestamp(instant.epochMs + ttlSeconds * 1_000);
}
