import type { LiveLimitOptions } from "../registry/live-limits.js";
import type { Principal } from "../registry/principal.js";

/** One kind of human tokens besides the authority's own. */
export interface HumanIssuer {
  /** Names the issuer in ids, audit log and figures. */
  readonly name: string;
  /** The issuer's URL, where it has one. Of two with the same, the second would never be asked. */
  readonly issuer?: string | undefined;
  /** Limits of its users and their agents, where they are not those of the authority. Those of an account come first. */
  readonly liveLimits?: LiveLimitOptions | undefined;
  /**
   * Finds out whose token this is.
   *
   * @param token - secret, of any form
   * @param nowMs - epoch milliseconds
   * @returns `undefined` when it is no token of this issuer
   * @throws {AgentAuthorityError} `unauthenticated` when it is one that does not hold; `unreachable`, retryable, when that cannot be said now
   */
  authenticate(token: string, nowMs: number): Promise<HumanPrincipal | undefined>;
}

/** Whose token of an issuer it was. */
export type HumanPrincipal = Omit<Principal, "accessTokenId">;
