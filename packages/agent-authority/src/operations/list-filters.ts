import type { LifeState, PrincipalState, TokenRole } from "../schema/roles-and-states.js";

/** One page of a list. What is given besides must all be met. */
interface Page {
  /** Number of entries. Range 1 to 10,000. Default 1,000. */
  readonly limit?: number | undefined;
}

/** Narrows `Registry.listAccessTokens`. */
export interface AccessTokenFilter extends Page {
  /** The id of the last one seen. */
  readonly after?: string | undefined;
  readonly accountId?: string | undefined;
  readonly userId?: string | undefined;
  readonly role?: TokenRole | undefined;
}

/** Narrows `Registry.listAgents`. */
export interface AgentFilter extends Page {
  /** The id of the last one seen; with `sort: "used"` its last use, a comma and its id. */
  readonly after?: string | undefined;
  readonly accountId?: string | undefined;
  readonly userId?: string | undefined;
  readonly state?: LifeState | undefined;
  /** Only what was registered from this address, as far as that is known. */
  readonly address?: string | undefined;
  /** Only what was registered at this time or later. RFC 3339, UTC, whole seconds, as all times here. */
  readonly createdSince?: string | undefined;
  /** Only what was used at this time or later, as far as that was reported. */
  readonly usedSince?: string | undefined;
  /** Only what was registered before this time and not used since, as far as that was reported. */
  readonly unusedSince?: string | undefined;
  /** `oldest` or `newest` first, by their ids, or the last `used` one first, without what was not used. Default `oldest`. */
  readonly sort?: "oldest" | "newest" | "used" | undefined;
}

/** Narrows `Registry.listTasks`. */
export interface TaskFilter extends AgentFilter {
  readonly agentRuntimeId?: string | undefined;
}

/** Narrows `Registry.listUsers`. */
export interface UserFilter extends Page {
  /** The last one seen. */
  readonly after?: { readonly accountId: string; readonly userId: string } | undefined;
  readonly accountId?: string | undefined;
  readonly state?: PrincipalState | undefined;
}

/** Narrows `Registry.listAccounts`. */
export interface AccountFilter extends Page {
  /** The id of the last one seen. */
  readonly after?: string | undefined;
  readonly state?: PrincipalState | undefined;
}
