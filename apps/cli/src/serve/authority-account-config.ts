import type { LiveLimitOptions } from "@countersign/agent-authority";
import { integer, tableOf, text } from "../config/setting-kinds.js";
import { notAllowed, type SettingKind } from "../config/settings.js";
import { CliError } from "../text/cli-error.js";

const count = integer({ min: 1 });

/** The keys by which limits of live agents and tasks are set, for all or in a table. The authority knows how far they go. */
export const LIVE_LIMIT_KINDS = {
  max_live_agents: count,
  max_ephemeral_agents: count,
  max_live_tasks: count,
};

/** The limits that are set by these keys. */
export function liveLimitsOf(
  set: {
    readonly [Key in keyof typeof LIVE_LIMIT_KINDS]?: number | undefined;
  },
): LiveLimitOptions {
  return {
    maxLiveAgents: set.max_live_agents,
    maxEphemeralAgents: set.max_ephemeral_agents,
    maxLiveTasks: set.max_live_tasks,
  };
}

/** One `[[account]]` of the file. */
export interface AccountSettings {
  readonly id: string;
  readonly limits: LiveLimitOptions;
}

const table = tableOf({ id: text, ...LIVE_LIMIT_KINDS });

/** One `[[account]]` of the file: limits of an account's own. */
export const accountSettings: SettingKind<AccountSettings> = (written) => {
  const { id, ...limits } = table(written);
  if (id === undefined) throw notAllowed(written, "a table with the id of an account");
  return { id, limits: liveLimitsOf(limits) };
};

/**
 * The limits of all accounts by their ids.
 *
 * @throws {CliError} `config_invalid` if an account has two tables
 */
export function accountLimitsOf(
  accounts: readonly AccountSettings[] | undefined,
): Readonly<Record<string, LiveLimitOptions>> | undefined {
  if (accounts === undefined) return undefined;
  const limits = new Map(accounts.map((account) => [account.id, account.limits]));
  if (limits.size === accounts.length) return Object.fromEntries(limits);
  throw new CliError("config_invalid", "account: an account has two tables", {
    hint: "set all limits of an account in one table",
  });
}
