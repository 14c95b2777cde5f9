import type { TokenRole } from "../schema/roles-and-states.js";
import type { AuthorityStore, Rows } from "../store/authority-store.js";
import { prepareQuery } from "../store/prepared-query.js";
import { hashSecret, isSecretOf } from "./access-token.js";
import { lifeStateOf } from "./life-state.js";
import { noteTokenUse } from "./note-token-use.js";
import type { Principal, TokenPrincipal } from "./principal.js";
import { checkPrincipal } from "./principals.js";
import { Refusal } from "./refusal.js";
import type { Instant } from "./times.js";
import { rightsOf } from "./token-rights.js";

const selectToken = prepareQuery((rows, value: { hash: string }) =>
  rows
    .selectFrom("access_tokens")
    .select(["access_token_id", "role", "account_id", "user_id", "expires_at", "revoked_at"])
    .select(["name", "scopes", "accounts", "last_used_at"])
    .where("token_hash", "=", value.hash),
);

/**
 * Finds out whose access token this is. Throws `unauthenticated` unless it lives and is of this role: the kinds are not interchangeable,
 * and why a token is refused is not told. Throws `forbidden` when its user or account was revoked. Notes the use of the token.
 */
export async function authenticate(
  store: AuthorityStore,
  token: string | undefined,
  role: TokenRole,
  instant: Instant,
): Promise<TokenPrincipal> {
  if (token === undefined || !isSecretOf(role, token)) throw unauthenticated(role);
  const [row] = await selectToken(store.rows, { hash: hashSecret(token) });
  if (row === undefined || row.role !== role || lifeStateOf(row, instant) !== "active") {
    throw unauthenticated(role);
  }
  const principal = {
    accessTokenId: row.access_token_id,
    accountId: row.account_id,
    userId: row.user_id,
    actor: `token:${row.access_token_id}`,
    actorName: row.name ?? undefined,
    rights: rightsOf(row),
    expiresAt: row.expires_at,
  };
  await checkPrincipal(store.rows, principal);
  noteTokenUse(store, row, instant);
  return principal;
}

/**
 * Looks again, in the transaction of what it is used for, whether the access token behind a principal lives, and keeps it from being revoked
 * until that ends: what is asked for after a revocation was answered is refused. An issuer's token lives until its own end.
 */
export async function isTokenLive(
  rows: Rows,
  { accessTokenId }: Principal,
  instant: Instant,
): Promise<boolean> {
  if (accessTokenId === undefined) return true;
  const row = await rows
    .selectFrom("access_tokens")
    .select(["revoked_at", "expires_at"])
    .where("access_token_id", "=", accessTokenId)
    .forShare()
    .executeTakeFirst();
  return row !== undefined && lifeStateOf(row, instant) === "active";
}

/** As {@link isTokenLive} for a human's token. Throws `unauthenticated`. */
export async function confirmToken(
  rows: Rows,
  principal: Principal,
  instant: Instant,
): Promise<void> {
  if (!(await isTokenLive(rows, principal, instant))) throw unauthenticated("human");
}

function unauthenticated(role: TokenRole): Refusal {
  return new Refusal("unauthenticated", `this takes a live access token of role ${role}`, {
    hint: "send it as Authorization: Bearer",
  });
}
