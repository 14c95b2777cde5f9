import { formatTimestamp, numberIn, parseTimestamp } from "@countersign/agent-key";
import { AgentAuthorityError } from "../agent-authority-error.js";
import { checkRequested } from "../option-checks.js";
import {
  DEFAULT_OVERLAP_SECONDS,
  MAX_OVERLAP_SECONDS,
  type RotateAccessTokenBody,
} from "../schema/admin-requests.js";
import type { RotatedAccessTokenEntry } from "../schema/registry-entries.js";
import type { AuthorityStore } from "../store/authority-store.js";
import { appendAuditEvent } from "./audit.js";
import type { AuditStamp } from "./audit-stamp.js";
import { checkNoMore } from "./check-no-more.js";
import { insertToken } from "./make-access-token.js";
import { isTokenWithin, isUsable, lockToken } from "./operate-access-tokens.js";
import { ASKED_TTL, endOfLife } from "./times.js";
import { rightsOf, type TokenRights } from "./token-rights.js";

const OVERLAP = numberIn(0, MAX_OVERLAP_SECONDS, { optional: false });

/**
 * Makes a token with the owner, name and rights of another, which ends after the overlap, or at its own end if that is sooner.
 *
 * The new token lives as long as the other was to live from its making on, unless a lifetime is given. Another rotation of the same token gives as
 * long a life.
 *
 * @param own - the rights of the token that asks; `undefined` for an operator on the database itself
 * @returns `undefined` if there is no such token
 */
export async function rotateAccessToken(
  store: AuthorityStore,
  {
    id,
    overlap_seconds: overlap = DEFAULT_OVERLAP_SECONDS,
    ttl_seconds,
  }: RotateAccessTokenBody & { readonly id: string },
  stamp: AuditStamp,
  own: TokenRights | undefined,
): Promise<RotatedAccessTokenEntry | undefined> {
  checkRequested("overlapSeconds", overlap, OVERLAP);
  if (ttl_seconds !== undefined) checkRequested("ttlSeconds", ttl_seconds, ASKED_TTL);
  return await store.transaction(async (rows) => {
    const row = await lockToken(rows, id);
    if (row === undefined || !isTokenWithin(own?.accounts, row)) return undefined;
    const rights = rightsOf(row);
    checkNoMore(own, rights, row.account_id);
    if (!(await isUsable(rows, row, stamp))) throw ended();
    const { account_id, user_id, created_at, expires_at } = row;
    // An earlier rotation, whose answer may have been lost, made its end sooner.
    const firstEnd = row.first_expires_at ?? expires_at;
    const lifetimeMs = parseTimestamp(firstEnd) - parseTimestamp(created_at);
    const created = await insertToken(
      rows,
      {
        account_id,
        user_id,
        name: row.name ?? undefined,
        rights,
        expiresAt:
          ttl_seconds === undefined
            ? formatTimestamp(stamp.epochMs + lifetimeMs)
            : endOfLife(stamp, ttl_seconds),
      },
      stamp,
    );
    const formerEnd = formatTimestamp(
      Math.min(stamp.epochMs + overlap * 1_000, parseTimestamp(expires_at)),
    );
    await rows
      .updateTable("access_tokens")
      .set({ expires_at: formerEnd, first_expires_at: firstEnd })
      .where("access_token_id", "=", id)
      .execute();
    await appendAuditEvent(rows, stamp, "access_token_rotated", {
      account_id,
      user_id,
      access_token_id: id,
    });
    return { ...created, former_id: id, former_expires_at: formerEnd };
  });
}

function ended(): AgentAuthorityError {
  return new AgentAuthorityError("invalid_request", "a token that has ended is not rotated", {
    hint: "make another one",
  });
}
