import {
  type CredentialStore,
  type Credentials,
  publicLineOf,
  type StoredIdentity,
  withFormerKey,
} from "@countersign/agent-identity";
import { AgentKey } from "@countersign/agent-key";
import { escapeText } from "@countersign/agent-key/escaping";
import {
  changedMeanwhile,
  exportCommand,
  importCommand,
  noteCopy,
  withCodexHome,
} from "../../codex/codex-copies.js";
import { isSameOwner, loadCodexHome } from "../../codex/codex-identity.js";
import { findNewestKey, isOtherKey, type KeyPair, unknownKey } from "../../codex/newest-key.js";
import type { Run } from "../../config/run.js";
import { pathOption } from "../../home/home.js";
import { openCredentialStore } from "../../options/credential-store-option.js";
import { parseUnsentBaseUrl } from "../../options/http-url.js";
import { CliError } from "../../text/cli-error.js";

/** Options of `identity import`. */
export interface ImportIdentityOptions {
  readonly codexHome: string;
  readonly authority: string;
}

/**
 * `identity import`: keeps the agent of a Codex home here too, and Codex's files stay as they are. Nothing is sent, unless the same agent is
 * stored with another key: the authority then says which of the two is the newer.
 */
export async function importIdentity(run: Run, options: ImportIdentityOptions): Promise<void> {
  const authority = parseUnsentBaseUrl({ url: options.authority, from: "--authority" });
  const codexHome = pathOption(options.codexHome, "--codex-home");
  const { login, identity } = await loadCodexHome(codexHome, authority);
  if (identity === undefined) {
    throw new CliError("no_identity", `${codexHome} holds no agent`, {
      hint:
        login?.kind === "agent"
          ? "Codex works with an identity JWT there: countersign login --identity-jwt-stdin"
          : "Codex makes one with its first turn: countersign codex run",
    });
  }
  const store = await openCredentialStore(run);
  // In the form that is written here; Codex writes another.
  const private_key = AgentKey.importPkcs8(identity.private_key ?? "").exportPkcs8();
  const wanted = withCodexHome({ ...identity, private_key }, codexHome);
  const imported =
    (await takeNewerKey(run, store, wanted)) || (await addIdentity(store, wanted, codexHome));
  const { account_id, user_id, agent_runtime_id } = identity;
  const value = { authority, account_id, user_id, agent_runtime_id, imported };
  run.output.result(value, () => [
    imported
      ? `imported the agent ${agent_runtime_id} of ${user_id} of ${account_id} with ${authority} from ${escapeText(codexHome)}`
      : `${agent_runtime_id} is stored already`,
  ]);
}

/**
 * Takes the key over if the same agent is stored with an older one.
 *
 * @returns whether it did; `false`: the agent is not stored with another key
 */
async function takeNewerKey(
  run: Run,
  store: CredentialStore,
  other: StoredIdentity,
): Promise<boolean> {
  const { login, identities } = await store.load();
  const stored = identities.find((entry) => isOtherKey({ stored: entry, other }));
  if (stored === undefined) return false;
  const pair = { stored, other };
  const codexHome = other.codex_homes?.at(-1) ?? "";
  const newest = await findNewestKey(run, { store, login }, pair);
  if (newest === "neither") throw unknownKey(codexHome, pair);
  if (newest === "stored") throw formerKey(codexHome, pair);
  await store.update((current) => {
    const found = current.identities.find(
      (entry) => isSameOwner(entry, stored) && entry.private_key === stored.private_key,
    );
    if (found === undefined || found.next_private_key !== undefined) {
      throw changedMeanwhile(store.description);
    }
    const { private_key } = other;
    const renewed = withCodexHome({ ...found, private_key }, codexHome);
    const replaced = withFormerKey(renewed, publicLineOf(found) ?? "");
    const identities = current.identities.map((entry) => (entry === found ? replaced : entry));
    return { ...current, identities };
  });
  return true;
}

function formerKey(codexHome: string, { stored }: KeyPair): CliError {
  const { agent_runtime_id, authority } = stored;
  return new CliError(
    "invalid_request",
    `${codexHome} holds a former key of the agent ${agent_runtime_id}; the newer one is stored here`,
    { hint: exportCommand(codexHome, authority), exitCode: 1 },
  );
}

/** @returns whether it was not there before */
async function addIdentity(
  store: CredentialStore,
  identity: StoredIdentity,
  codexHome: string,
): Promise<boolean> {
  let isAdded = false;
  await store.update((current) => {
    const next = withImported(current, identity, codexHome);
    isAdded = next !== undefined;
    return next;
  });
  if (!isAdded) await noteCopy(store, identity, { codexHome });
  return isAdded;
}

/** The content with the identity in it; `undefined`: it is there already. A key that is there is never replaced. */
function withImported(
  current: Credentials,
  identity: StoredIdentity,
  codexHome: string,
): Credentials | undefined {
  const mine = current.identities.find((entry) => isSameOwner(entry, identity));
  const broken = current.unreadable?.some(
    ({ member, authority = "", accountId: account_id = "", userId: user_id = "" }) =>
      member === "identities" && isSameOwner({ authority, account_id, user_id }, identity),
  );
  if (mine === undefined && broken !== true) {
    return { ...current, identities: [...current.identities, identity] };
  }
  const isSameKey = mine !== undefined && publicLineOf(mine) === publicLineOf(identity);
  if (isSameKey && mine.agent_runtime_id === identity.agent_runtime_id) return undefined;
  // Its registration was never answered here; Codex knows what came of it.
  if (isSameKey && mine.state === "pending") {
    const others = current.identities.filter((entry) => entry !== mine);
    return { ...current, identities: [...others, identity] };
  }
  const { authority, account_id, user_id } = identity;
  throw new CliError(
    "invalid_request",
    `another agent of ${user_id} of ${account_id} is stored with ${authority}`,
    {
      hint: `keep this one in a new home of this command: COUNTERSIGN_HOME=FOLDER ${importCommand(codexHome, authority)}`,
      exitCode: 1,
    },
  );
}
