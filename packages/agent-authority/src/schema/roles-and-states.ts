/** What an access token may be used for. The kinds are not interchangeable. */
export const TOKEN_ROLES = ["human", "resource_server", "read", "operate"] as const;

/** One of {@link TOKEN_ROLES}. */
export type TokenRole = (typeof TOKEN_ROLES)[number];

/** Whether something lives: `active`, ended by an operator (`revoked`) or by its lifetime (`expired`). */
export type LifeState = "active" | "revoked" | "expired";

/** Whether a user or an account may do anything, or was ended by an operator. */
export type PrincipalState = "active" | "revoked";
