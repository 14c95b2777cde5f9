import type { OperatorRole, TokenScope } from "../schema/roles-and-states.js";

interface NeededRights {
  /** A token of any of these is enough. */
  readonly roles: readonly OperatorRole[];
  /** Which scope the token must have besides. */
  readonly scope?: TokenScope;
}

/** The roles that may do what operations need. Each row of the operations names its need, and nothing else decides who may call it. */
export const NEEDS = {
  /** Look at the registry. */
  read: { roles: ["read", "operate"] },
  /** Look at the audit log. */
  audit: { roles: ["read", "audit", "operate"] },
  /** End something, or take that back. */
  stop: { roles: ["stop", "operate"] },
  /** Change anything else. */
  operate: { roles: ["operate"] },
  /** Make what proves a human, an agent or an operator. */
  tokens: { roles: ["operate"], scope: "tokens" },
} as const satisfies Readonly<Record<string, NeededRights>>;

/** One of {@link NEEDS}. */
export type Need = keyof typeof NEEDS;

/** The rights behind a need. */
export function neededFor(need: Need): NeededRights {
  return NEEDS[need];
}
