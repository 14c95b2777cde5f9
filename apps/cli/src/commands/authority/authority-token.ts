import type { AccessTokenInfo, TokenRole } from "@countersign/agent-authority";
import type { Run } from "../../config/run.js";
import { checkPrincipals } from "../../options/principal-options.js";
import {
  type ChangeOptions,
  checkReason,
  createEntryCommand,
  createListCommand,
  type ListOptions,
  type RegistryKind,
} from "../../session/registry-commands.js";
import {
  type RegistryOptions,
  requireFound,
  withRegistry,
} from "../../session/registry-session.js";
import { usageError } from "../../text/cli-error.js";
import { parseDuration } from "../../text/duration.js";

/** Options of `authority token create`. */
export interface CreateTokenOptions extends RegistryOptions {
  readonly account: string;
  readonly user: string;
  readonly role: TokenRole;
  readonly ttl: string;
  readonly name?: string;
  readonly withTokens?: boolean;
  readonly accounts?: string;
}

const THIRTY_DAYS_SECONDS = 30 * 86_400;
const TEN_YEARS_SECONDS = 315_360_000;

const tokens: RegistryKind<AccessTokenInfo> = {
  name: "token",
  unknown: "invalid_request",
  columns: [
    "id",
    "name",
    "role",
    "scopes",
    "accounts",
    "account_id",
    "user_id",
    "state",
    "expires_at",
    "last_used_at",
  ],
};

/** `authority token create`: prints the token alone. */
export async function createToken(run: Run, options: CreateTokenOptions): Promise<void> {
  const { account: accountId, user: userId, role, name } = options;
  checkPrincipals([accountId], [userId]);
  if (options.withTokens === true && role !== "operate") {
    throw usageError("--with-tokens is for --role operate", "leave it out, or add --role operate");
  }
  const scopes = options.withTokens === true ? (["tokens"] as const) : undefined;
  const accounts = options.accounts?.split(",");
  if (accounts !== undefined) checkPrincipals(accounts, [], "--accounts");
  const ttlSeconds = parseDuration(options.ttl, "--ttl", { min: 1, max: TEN_YEARS_SECONDS });
  const created = await withRegistry(
    run,
    options,
    (registry) =>
      registry.createAccessToken({ accountId, userId, role, name, scopes, accounts, ttlSeconds }),
    { create: true },
  );
  run.output.result(
    {
      id: created.id,
      token: created.token,
      role,
      scopes,
      accounts,
      name,
      account_id: accountId,
      user_id: userId,
      expires_at: created.expiresAt,
    },
    () => created.token,
  );
}

/** Options of `authority token rotate`. */
export interface RotateTokenOptions extends ChangeOptions {
  readonly overlap: string;
  readonly ttl?: string;
}

/** `authority token rotate ID`: prints the new token alone, and on stderr until when the former one is taken. */
export async function rotateToken(
  run: Run,
  options: RotateTokenOptions,
  [id = ""]: readonly string[],
): Promise<void> {
  const { reason } = options;
  checkReason(reason);
  const overlapSeconds = parseDuration(options.overlap, "--overlap", {
    min: 0,
    max: THIRTY_DAYS_SECONDS,
  });
  const ttlSeconds =
    options.ttl === undefined
      ? undefined
      : parseDuration(options.ttl, "--ttl", { min: 1, max: TEN_YEARS_SECONDS });
  const rotated = await withRegistry(run, options, async (registry, where) =>
    requireFound(
      await registry.rotateAccessToken(id, { overlapSeconds, ttlSeconds, reason }),
      tokens.name,
      tokens.unknown,
      where,
    ),
  );
  const { token, expiresAt, formerId, formerExpiresAt } = rotated;
  run.output.note(`the former token ${formerId} is taken until ${formerExpiresAt}`);
  run.output.result(
    {
      id: rotated.id,
      token,
      expires_at: expiresAt,
      former_id: formerId,
      former_expires_at: formerExpiresAt,
    },
    () => token,
  );
}

/** Options of `authority token list`. */
export interface ListTokensOptions extends ListOptions {
  readonly account?: string;
  readonly user?: string;
  readonly role?: TokenRole;
}

/** `authority token list`. */
export const listTokens = createListCommand(
  tokens,
  (registry, { account, user, role }: ListTokensOptions, { after, limit }) =>
    registry.listAccessTokens({
      accountId: account,
      userId: user,
      role,
      after: after?.id,
      limit,
    }),
);

/** `authority token revoke ID`. */
export const revokeToken = createEntryCommand(tokens, (registry, id, reason) =>
  registry.revokeAccessToken(id, reason),
);
