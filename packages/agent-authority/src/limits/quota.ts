import { AgentAuthorityError } from "../agent-authority-error.js";
import type { LimitKind } from "./rate-limits.js";

/** How long one window of counting is. */
export const WINDOW_SECONDS = 60;

const TEXTS: Readonly<Record<LimitKind, string>> = {
  refusals: "too many requests of this caller were refused",
  address: "too many requests without a valid credential came from this address",
  user: "too many requests by this user",
  agent: "too many requests by this agent",
};

/** The remaining quota in the current window of a limit. */
export interface Quota {
  readonly kind: LimitKind;
  readonly limit: number;
  readonly remaining: number;
  /** Seconds until the window ends, at least 1. */
  readonly resetSeconds: number;
}

/** Thrown when a limit is reached. No {@link Refusal}: it takes back what the request did. */
export class RateLimited extends AgentAuthorityError {
  readonly quota: Quota;
  /** Whether this process says so for the first time in the window. */
  readonly isFirst: boolean;

  constructor(quota: Quota, { isFirst = false }: { readonly isFirst?: boolean } = {}) {
    super("rate_limited", TEXTS[quota.kind], { retryable: true });
    this.quota = quota;
    this.isFirst = isFirst;
  }
}

/** The fields that tell a client of its quotas (draft-ietf-httpapi-ratelimit-headers-11, structured fields). */
export function quotaHeaders(quotas: readonly Quota[]): Record<string, string> {
  if (quotas.length === 0) return {};
  return {
    "ratelimit-policy": quotas
      .map(({ kind, limit }) => `"${kind}";q=${limit};w=${WINDOW_SECONDS}`)
      .join(", "),
    ratelimit: quotas
      .map(({ kind, remaining, resetSeconds }) => `"${kind}";r=${remaining};t=${resetSeconds}`)
      .join(", "),
  };
}
