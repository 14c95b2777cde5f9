import type { AccountInfo, PrincipalState } from "@countersign/agent-authority";
import { checkPrincipals } from "../../options/principal-options.js";
import {
  createChangeCommand,
  createEntryCommand,
  createListCommand,
  type ListOptions,
  type RegistryKind,
  type RevokePrincipalOptions,
} from "../../session/registry-commands.js";

/** Options of `authority accounts list`. */
export interface ListAccountsOptions extends ListOptions {
  readonly state?: PrincipalState;
}

const accounts: RegistryKind<AccountInfo> = {
  name: "account",
  unknown: "invalid_request",
  columns: ["account_id", "state", "created_at"],
};

/** `authority accounts list`. */
export const listAccounts = createListCommand(
  accounts,
  (registry, { state }: ListAccountsOptions, { after, limit }) =>
    registry.listAccounts({ state, after: after?.accountId, limit }),
);

/** `authority accounts revoke ACCOUNT`. */
export const revokeAccount = createChangeCommand(
  accounts,
  async (registry, { reason, evenIfUnknown }: RevokePrincipalOptions, id) => {
    checkPrincipals([id], []);
    return await registry.revokeAccount(id, { reason, evenIfUnknown });
  },
);

/** `authority accounts restore ACCOUNT`. */
export const restoreAccount = createEntryCommand(accounts, async (registry, id, reason) => {
  checkPrincipals([id], []);
  return await registry.restoreAccount(id, reason);
});
