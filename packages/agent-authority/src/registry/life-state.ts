import type { LifeState, PrincipalState } from "../schema/roles-and-states.js";
import type { AgentRow } from "../store/database.js";
import type { Instant } from "./times.js";

interface Mortal {
  readonly revoked_at: string | null;
  readonly expires_at: string | null;
  /** Of an agent: 1 if it always ends. */
  readonly ephemeral?: number;
  /** Revoking the larger stops the smaller. */
  readonly user_revoked_at?: string | null;
  readonly account_revoked_at?: string | null;
}

/**
 * The state of an agent, task or token at an instant.
 *
 * An ephemeral agent without an end has ended: an authority of an earlier version, which knows no ephemeral agents, renewed it for ever. Its next
 * registration gives it an end again.
 */
export function lifeStateOf(row: Mortal, instant: Instant): LifeState {
  const { revoked_at, user_revoked_at = null, account_revoked_at = null } = row;
  if ((revoked_at ?? user_revoked_at ?? account_revoked_at) !== null) return "revoked";
  if (row.expires_at === null) return row.ephemeral === 1 ? "expired" : "active";
  return row.expires_at <= instant.text ? "expired" : "active";
}

/** The state of a user or an account that was revoked at this time, or was not. */
export function principalStateOf(revokedAt: string | null): PrincipalState {
  return revokedAt === null ? "active" : "revoked";
}

/** Returns whether a row is a claim to a key that was not proved in time, and counts as deleted (protocol §5.4). A revoked claim stays. */
export function isLapsedClaim(
  row: Pick<AgentRow, "proven_at" | "claimed_at" | "state">,
  instant: Instant,
): boolean {
  return row.proven_at === null && row.state === "active" && row.claimed_at <= instant.lapsedClaim;
}
