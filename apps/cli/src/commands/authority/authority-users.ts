import type { PrincipalState, UserInfo } from "@countersign/agent-authority";
import { checkPrincipals } from "../../options/principal-options.js";
import {
  createChangeCommand,
  createListCommand,
  type ListOptions,
  type RegistryKind,
} from "../../session/registry-commands.js";
import type { RegistryOptions } from "../../session/registry-session.js";

/** Options of `authority users list`. */
export interface ListUsersOptions extends ListOptions {
  readonly account?: string;
  readonly state?: PrincipalState;
}

/** Options of `authority users revoke` and `authority users restore`. */
export interface UserOptions extends RegistryOptions {
  readonly account: string;
  readonly user: string;
}

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
export const revokeUser = createChangeCommand(users, async (registry, options: UserOptions) => {
  checkPrincipals([options.account], [options.user]);
  return await registry.revokeUser(options.account, options.user);
});

/** `authority users restore`. */
export const restoreUser = createChangeCommand(users, async (registry, options: UserOptions) => {
  checkPrincipals([options.account], [options.user]);
  return await registry.restoreUser(options.account, options.user);
});
