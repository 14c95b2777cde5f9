import type { AccessTokenInfo, TokenRole } from "@countersign/agent-authority";
import type { Run } from "../../config/run.js";
import { checkPrincipals } from "../../options/principal-options.js";
import {
  createEntryCommand,
  createListCommand,
  type ListOptions,
  type RegistryKind,
} from "../../session/registry-commands.js";
import { type RegistryOptions, withRegistry } from "../../session/registry-session.js";
import { parseDuration } from "../../text/duration.js";

/** Options of `authority token create`. */
export interface CreateTokenOptions extends RegistryOptions {
  readonly account: string;
  readonly user: string;
  readonly role: TokenRole;
  readonly ttl: string;
}

const TEN_YEARS_SECONDS = 315_360_000;

const tokens: RegistryKind<AccessTokenInfo> = {
  name: "token",
  unknown: "invalid_request",
  columns: ["id", "role", "account_id", "user_id", "state", "expires_at"],
};

/** `authority token create`: prints the token alone. */
export async function createToken(run: Run, options: CreateTokenOptions): Promise<void> {
  const { account: accountId, user: userId, role } = options;
  checkPrincipals([accountId], [userId]);
  const ttlSeconds = parseDuration(options.ttl, "--ttl", { min: 1, max: TEN_YEARS_SECONDS });
  const created = await withRegistry(
    run,
    options,
    (registry) => registry.createAccessToken({ accountId, userId, role, ttlSeconds }),
    { create: true },
  );
  run.output.result(
    {
      id: created.id,
      token: created.token,
      role,
      account_id: accountId,
      user_id: userId,
      expires_at: created.expiresAt,
    },
    () => created.token,
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
export const revokeToken = createEntryCommand(tokens, (registry, id) =>
  registry.revokeAccessToken(id),
);
