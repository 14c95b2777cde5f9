import { normaliseAddress } from "@countersign/agent-assertion/client-address";
import type { AgentFilter, LifeState } from "@countersign/agent-authority";
import { usageError } from "../text/cli-error.js";
import { parseInstant } from "../text/instant.js";
import type { ListOptions } from "./registry-commands.js";

/** Options of `authority agents list` and `authority tasks list`. */
export interface LifeListOptions extends ListOptions {
  readonly account?: string;
  readonly user?: string;
  readonly address?: string;
  readonly state?: LifeState;
  readonly createdSince?: string;
  readonly usedSince?: string;
  readonly unusedSince?: string;
  readonly sort?: "newest" | "oldest" | "used";
}

/** What names an entry and says where it stands in a list. */
interface Placed {
  readonly id: string;
  readonly lastUsedAt?: string | undefined;
}

/**
 * Reads what a list is narrowed by, and where it goes on.
 *
 * @param nowMs - what a time such as `30d` counts back from, epoch milliseconds
 * @throws {CliError} `usage` for a time or an address that is not one
 */
export function lifeFilterOf(
  options: LifeListOptions,
  after: Placed | undefined,
  nowMs: number,
): AgentFilter {
  const { account, user, address, state, sort = "newest" } = options;
  const since = (text: string | undefined, option: string) =>
    text === undefined ? undefined : parseInstant(text, option, nowMs);
  return {
    accountId: account,
    userId: user,
    address: addressOf(address),
    state,
    createdSince: since(options.createdSince, "--created-since"),
    usedSince: since(options.usedSince, "--used-since"),
    unusedSince: since(options.unusedSince, "--unused-since"),
    sort,
    after: after && (sort === "used" ? `${after.lastUsedAt},${after.id}` : after.id),
  };
}

function addressOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const address = normaliseAddress(text);
  if (address !== undefined) return address;
  throw usageError(`--address: "${text}" is not an IP address`, "write 203.0.113.7 or 2001:db8::1");
}
