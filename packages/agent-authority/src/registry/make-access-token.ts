import { hideCredentials } from "@countersign/agent-key/redaction";
import { uuidv7 } from "uuidv7";
import { AgentAuthorityError } from "../agent-authority-error.js";
import { checkRequested } from "../option-checks.js";
import {
  type CreateAccessTokenBody,
  MAX_ACCOUNTS,
  tokenAccountsSchema,
  tokenNameSchema,
} from "../schema/admin-requests.js";
import type { CreatedAccessTokenEntry } from "../schema/registry-entries.js";
import { TOKEN_ROLES, TOKEN_SCOPES } from "../schema/roles-and-states.js";
import type { AuthorityStore, Rows } from "../store/authority-store.js";
import { createSecret, hashSecret } from "./access-token.js";
import { appendAuditEvent } from "./audit.js";
import type { AuditStamp } from "./audit-stamp.js";
import { checkNoMore } from "./check-no-more.js";
import { checkPrincipalIds } from "./principals.js";
import { ASKED_TTL, endOfLife } from "./times.js";
import { isLimited, isTokenRole, isTokenScope, type TokenRights } from "./token-rights.js";

/**
 * Makes a token.
 *
 * @param own - the rights of the token that makes it; `undefined` for an operator on the database itself
 */
export async function createAccessToken(
  store: AuthorityStore,
  body: CreateAccessTokenBody,
  stamp: AuditStamp,
  own: TokenRights | undefined,
): Promise<CreatedAccessTokenEntry> {
  const { account_id, user_id, role, name, ttl_seconds, scopes = [], accounts } = checkBody(body);
  const rights: TokenRights = { role, scopes, accounts };
  checkNoMore(own, rights, account_id);
  const expiresAt = endOfLife(stamp, ttl_seconds);
  return await store.transaction((rows) =>
    insertToken(rows, { account_id, user_id, name, rights, expiresAt }, stamp),
  );
}

/** A token that is to be made. */
interface NewToken {
  readonly account_id: string;
  readonly user_id: string;
  readonly name: string | undefined;
  readonly rights: TokenRights;
  readonly expiresAt: string;
}

/** Makes the row of a token and the event for it, in the transaction that this is a part of. */
export async function insertToken(
  rows: Rows,
  { account_id, user_id, name, rights, expiresAt }: NewToken,
  stamp: AuditStamp,
): Promise<CreatedAccessTokenEntry> {
  const id = `token_${uuidv7()}`;
  const token = createSecret(rights.role, isLimited(rights));
  await rows
    .insertInto("access_tokens")
    .values({
      access_token_id: id,
      token_hash: hashSecret(token),
      role: rights.role,
      account_id,
      user_id,
      created_at: stamp.text,
      expires_at: expiresAt,
      first_expires_at: null,
      revoked_at: null,
      name: name ?? null,
      scopes: JSON.stringify(rights.scopes),
      accounts: rights.accounts === undefined ? null : JSON.stringify(rights.accounts),
      last_used_at: null,
    })
    .execute();
  await appendAuditEvent(rows, stamp, "access_token_created", {
    account_id,
    user_id,
    access_token_id: id,
  });
  return { id, token, expires_at: expiresAt };
}

function checkBody(body: CreateAccessTokenBody): CreateAccessTokenBody {
  const { account_id, user_id, role, name, ttl_seconds, scopes = [] } = body;
  checkPrincipalIds({ accountId: account_id, userId: user_id });
  if (!isTokenRole(role)) {
    throw new AgentAuthorityError("invalid_request", "the role of a token is unknown", {
      hint: `use one of ${TOKEN_ROLES.join(", ")}`,
    });
  }
  checkRequested("ttlSeconds", ttl_seconds, ASKED_TTL);
  if (name !== undefined && !isName(name)) {
    throw new AgentAuthorityError("invalid_request", "the name of a token is not allowed", {
      hint: "use 1 to 64 printable ASCII characters, no space at its ends, and no credential",
    });
  }
  if (
    !Array.isArray(scopes) ||
    !scopes.every(isTokenScope) ||
    (scopes.length > 0 && role !== "operate")
  ) {
    throw new AgentAuthorityError("invalid_request", "the scopes of a token are not allowed", {
      hint: `only a token of role operate has scopes, of ${TOKEN_SCOPES.join(", ")}`,
    });
  }
  return { ...body, scopes: [...new Set(scopes)], ...checkAccounts(body) };
}

function checkAccounts({
  role,
  accounts,
}: CreateAccessTokenBody): Pick<CreateAccessTokenBody, "accounts"> {
  if (accounts === undefined) return {};
  if (role === "human") {
    throw new AgentAuthorityError("invalid_request", "a human's token is for its own account", {
      hint: "leave out the accounts",
    });
  }
  if (!tokenAccountsSchema.safeParse(accounts).success) {
    throw new AgentAuthorityError("invalid_request", "the accounts of a token are not allowed", {
      hint: `name 1 to ${MAX_ACCOUNTS} accounts`,
    });
  }
  return { accounts: [...new Set(accounts)].sort() };
}

function isName(name: string): boolean {
  return tokenNameSchema.safeParse(name).success && hideCredentials(name) === name;
}
