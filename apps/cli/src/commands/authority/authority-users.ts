import type { PrincipalState, UserInfo } from "@countersign/agent-authority";
import { checkPrincipals } from "../../options/principal-options.js";
import {
  type ChangeOptions,
  createChangeCommand,
  createListCommand,
  type ListOptions,
  type RegistryKind,
  type RevokePrincipalOptions,
} from "../../session/registry-commands.js";

/** Options of `authority users list`. */
export interface ListUsersOptions extends ListOptions {
  readonly account?: string;
  readonly state?: PrincipalState;
}

/** Options of `authority users restore`. */
export interface UserOptions extends ChangeOptions {
  readonly account: string;
  readonly user: string;
}

/** Options of `authority users revoke`. */
export type RevokeUserOptions = UserOptions & RevokePrincipalOptions;

const users: RegistryKind<UserInfo> = {
  name: "user",
  unknown: "invalid_request",
  revokedFromAbove: "its account is revoked: countersign authority accounts list --state revoked",
  columns: ["account_id", "user_id", "state", "created_at"],
};

/** `authority users list`. */
export const listUsers = createListCommand(
  users,
  (registry, { account, state }: ListUsersOptions, { after, limit }) =>
    registry.listUsers({ accountId: account, state, after, limit }),
);

/** `authority users revoke`. */
export const revokeUser = createChangeCommand(
  users,
  async (registry, options: RevokeUserOptions) => {
    checkPrincipals([options.account], [options.user]);
    const { account, user, reason, evenIfUnknown } = options;
    return await registry.revokeUser(account, user, { reason, evenIfUnknown });
  },
);

/** `authority users restore`. */
export const restoreUser = createChangeCommand(users, async (registry, options: UserOptions) => {
  checkPrincipals([options.account], [options.user]);
  const { account, user, reason } = options;
  return await registry.restoreUser(account, user, { reason });
});
