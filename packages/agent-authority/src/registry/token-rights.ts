import { AgentAuthorityError } from "../agent-authority-error.js";
import {
  TOKEN_ROLES,
  TOKEN_SCOPES,
  type TokenRole,
  type TokenScope,
} from "../schema/roles-and-states.js";
import type { AccessTokenRow } from "../store/database.js";
import type { AccountScope } from "./account-scope.js";

/** What a token may do. */
export interface TokenRights {
  readonly role: TokenRole;
  readonly scopes: readonly TokenScope[];
  readonly accounts: AccountScope;
}

/** Reads the rights of a token's row. Throws `store_corrupt`. */
export function rightsOf(row: Pick<AccessTokenRow, "role" | "scopes" | "accounts">): TokenRights {
  const { role } = row;
  const scopes = parseTexts(row.scopes);
  if (!isTokenRole(role) || !scopes.every(isTokenScope)) throw corrupt();
  return { role, scopes, accounts: row.accounts === null ? undefined : parseTexts(row.accounts) };
}

/** Returns whether a token may do less than its role alone says. */
export function isLimited({ role, scopes, accounts }: TokenRights): boolean {
  return accounts !== undefined || (role === "operate" && !scopes.includes("tokens"));
}

export function isTokenRole(value: string): value is TokenRole {
  return (TOKEN_ROLES as readonly string[]).includes(value);
}

export function isTokenScope(value: string): value is TokenScope {
  return (TOKEN_SCOPES as readonly string[]).includes(value);
}

function parseTexts(text: string): readonly string[] {
  const list: unknown = JSON.parse(text);
  if (Array.isArray(list) && list.every((item) => typeof item === "string")) return list;
  throw corrupt();
}

function corrupt(): AgentAuthorityError {
  return new AgentAuthorityError("store_corrupt", "the database holds a token of unknown rights");
}
