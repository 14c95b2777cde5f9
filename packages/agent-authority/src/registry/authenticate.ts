import type { TokenPrincipal } from "../humans/principal.js";
import type { Rows } from "../store/authority-store.js";
import { hashSecret, isSecretOf } from "./access-token.js";
import { lifeStateOf } from "./life-state.js";
import { Refusal } from "./refusal.js";
import type { TokenRole } from "./registry-types.js";
import type { Instant } from "./times.js";

/**
 * Finds out whose access token this is. Throws `unauthenticated` unless it lives and is of this role: the kinds are not interchangeable,
 * and why a token is refused is not told.
 */
export async function authenticate(
  rows: Rows,
  token: string | undefined,
  role: TokenRole,
  instant: Instant,
): Promise<TokenPrincipal> {
  if (token === undefined || !isSecretOf(role, token)) throw unauthenticated(role);
  const row = await rows
    .selectFrom("access_tokens")
    .selectAll()
    .where("token_hash", "=", hashSecret(token))
    .executeTakeFirst();
  if (row === undefined || row.role !== role || lifeStateOf(row, instant) !== "active") {
    throw unauthenticated(role);
  }
  return {
    accessTokenId: row.access_token_id,
    accountId: row.account_id,
    userId: row.user_id,
    actor: `token:${row.access_token_id}`,
  };
}

function unauthenticated(role: TokenRole): Refusal {
  return new Refusal("unauthenticated", `this takes a live access token of role ${role}`, {
    hint: "send it as Authorization: Bearer",
  });
}
