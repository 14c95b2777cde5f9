import {
  AgentIdentityManager,
  type CredentialStore,
  publicLineOf,
  type StoredIdentity,
} from "@countersign/agent-identity";
import { CountersignError } from "@countersign/agent-key";
import { isSameOwner } from "../../codex/codex-identity.js";
import type { Run } from "../../config/run.js";
import { askDirectory } from "../../directory/directory-word.js";
import { requireAuthority } from "../../options/authority-option.js";
import { openCredentialStore } from "../../options/credential-store-option.js";
import { parseUnsentBaseUrl } from "../../options/http-url.js";
import { type HumanOptions, namedHuman } from "../../options/principal-options.js";
import { CliError } from "../../text/cli-error.js";

/** Options of `identity forget`. */
export interface ForgetIdentityOptions extends HumanOptions {
  readonly authority?: string;
  readonly force?: boolean;
}

interface Owner {
  readonly authority: string;
  readonly account_id: string;
  readonly user_id: string;
}

/**
 * `identity forget`: removes the stored identity of one user in one account. Without `--force` it does so only if the key works no longer:
 * the authority's directory says so, the agent was revoked from here, or it was never registered.
 */
export async function forgetIdentity(run: Run, options: ForgetIdentityOptions): Promise<void> {
  const named = namedHuman(options);
  const store = await openCredentialStore(run);
  const { login } = await store.load();
  const wanted = await requireAuthority(run, options.authority, login?.authority);
  const authority = parseUnsentBaseUrl(wanted);
  const human =
    named ??
    (login?.authority === authority
      ? { accountId: login.account_id, userId: login.user_id }
      : undefined);
  if (human === undefined) {
    throw new CliError("not_logged_in", `not logged in with ${authority}`, {
      hint: "name the identity with --account and --user: countersign identity list",
    });
  }
  const { accountId, userId } = human;
  if (options.force !== true) {
    await refuseLiveKey(run, store, { authority, account_id: accountId, user_id: userId });
  }
  const identities = new AgentIdentityManager({
    authority,
    // Says whose identity it is. No request is sent, so that no token is needed.
    auth: { current: () => ({ kind: "human", ...human, accessToken: "" }) },
    store,
    features: await run.features(),
    // It sends nothing, so that any kind of http is as good as another.
    insecureHttp: true,
  });
  const forgotten = await identities.forget();
  await identities.close();
  run.output.result({ authority, account_id: accountId, user_id: userId, forgotten }, () =>
    forgotten
      ? `forgot the agent of ${userId} of ${accountId} here; ${authority} is not told`
      : `${userId} of ${accountId} has no stored agent with ${authority}`,
  );
}

async function refuseLiveKey(run: Run, store: CredentialStore, owner: Owner): Promise<void> {
  const { identities, unreadable = [] } = await store.load();
  const entries = identities.filter((identity) => isSameOwner(identity, owner));
  const isBroken = unreadable.some(
    ({ member, authority = "", accountId: account_id = "", userId: user_id = "" }) =>
      member === "identities" && isSameOwner({ authority, account_id, user_id }, owner),
  );
  if (isBroken) {
    throw refusal(
      `the stored agent of ${owner.user_id} of ${owner.account_id} cannot be read, and its key may work`,
      `restore ${store.description} from a backup, or use the version of countersign that wrote it`,
    );
  }
  for (const entry of entries) {
    const agentRuntimeId = entry.agent_runtime_id;
    if (entry.state !== "registered" || agentRuntimeId === undefined) continue;
    const problem = await whyKept(run, entry, agentRuntimeId);
    if (problem === undefined) continue;
    throw refusal(
      `${problem}, and forgetting it here loses its key`,
      "keep it: nothing has to be forgotten to log in as another user; countersign doctor says whether the key works",
    );
  }
}

/** @returns why the key must be kept; `undefined`: the key works no longer */
async function whyKept(
  run: Run,
  entry: StoredIdentity,
  agentRuntimeId: string,
): Promise<string | undefined> {
  const { authority, revoked, next_private_key, next_public_key } = entry;
  try {
    const word = await askDirectory(run, authority, agentRuntimeId);
    if (word.kind === "unknown") return undefined;
    if (word.kind === "known") {
      const { state, publicKeys } = word.record;
      if (state === "revoked") return undefined;
      // A key that cannot be read is no reason to remove the one that may follow it.
      const next = { private_key: next_private_key, public_key: next_public_key };
      const hasNext = next_private_key !== undefined || next_public_key !== undefined;
      const lines = [entry, ...(hasNext ? [next] : [])].map(publicLineOf);
      const isLive = publicKeys.some(({ line }) => lines.includes(line));
      return isLive || lines.includes(undefined)
        ? `the agent ${agentRuntimeId} is ${state} at ${authority}`
        : undefined;
    }
  } catch (error) {
    if (!CountersignError.is(error) || error.code === "cancelled") throw error;
    if (revoked === true) return undefined;
    return `${authority} cannot say whether the agent ${agentRuntimeId} is active (${error.code})`;
  }
  if (revoked === true) return undefined;
  return `${authority} requires a resource_server token to say whether the agent ${agentRuntimeId} is active`;
}

function refusal(message: string, hint: string): CliError {
  return new CliError("invalid_request", `${message}; only --force does so`, { hint, exitCode: 1 });
}
