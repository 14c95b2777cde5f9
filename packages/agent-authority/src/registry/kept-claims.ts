import type { Rows } from "../store/authority-store.js";
import type { AgentRow } from "../store/database.js";
import type { Principal } from "./principal.js";

/** Claims of a token, by their names. */
export type KeptClaims = NonNullable<Principal["claims"]>;

/** Writes the claims of a human's token as a row keeps them; `null` if it has none. */
export function formatClaims({ claims }: Pick<Principal, "claims">): string | null {
  return claims === undefined || Object.keys(claims).length === 0 ? null : JSON.stringify(claims);
}

/** Reads them from a row. */
export function parseClaims(text: string | null): KeptClaims | null {
  return text === null ? null : (JSON.parse(text) as KeptClaims);
}

/**
 * Lets an agent be found by the values of its claims, and no longer by those of its previous ones.
 *
 * @param previous - those that it had; `null`: none
 */
export async function indexClaims(
  rows: Rows,
  { agent_runtime_id, claims }: Pick<AgentRow, "agent_runtime_id" | "claims">,
  previous: string | null,
): Promise<void> {
  if (claims === previous) return;
  if (previous !== null) {
    await rows
      .deleteFrom("agent_claims")
      .where("agent_runtime_id", "=", agent_runtime_id)
      .execute();
  }
  const values = new Set(Object.values(parseClaims(claims) ?? {}));
  if (values.size === 0) return;
  await rows
    .insertInto("agent_claims")
    .values([...values].map((value) => ({ agent_runtime_id, value })))
    .execute();
}
