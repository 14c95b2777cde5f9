/** What an access token may be used for. The kinds are not interchangeable. */
export const TOKEN_ROLES = [
  "human",
  "resource_server",
  "read",
  "audit",
  "stop",
  "operate",
] as const;

/** The roles of operators. `NEEDS` says what each may do. */
export const OPERATOR_ROLES = ["read", "audit", "stop", "operate"] as const satisfies TokenRole[];

/** What a token of role `operate` may do only if that is asked for: `tokens`, make credentials. */
export const TOKEN_SCOPES = ["tokens"] as const;

/** One of {@link TOKEN_ROLES}. */
export type TokenRole = (typeof TOKEN_ROLES)[number];

/** One of {@link OPERATOR_ROLES}. */
export type OperatorRole = (typeof OPERATOR_ROLES)[number];

/** One of {@link TOKEN_SCOPES}. */
export type TokenScope = (typeof TOKEN_SCOPES)[number];

/** Whether something lives: `active`, ended by an operator (`revoked`) or by its lifetime (`expired`). */
export type LifeState = "active" | "revoked" | "expired";

/** Whether a user or an account may do anything, or was ended by an operator. */
export type PrincipalState = "active" | "revoked";
