import {
  type CredentialStore,
  publicLineOf,
  type StoredIdentity,
  withFormerKey,
} from "@countersign/agent-identity";
import { CliError } from "../text/cli-error.js";
import { quoteArgument } from "../text/quote-argument.js";
import { isSameOwner, loadCodexHome } from "./codex-identity.js";

const MAX_CODEX_HOMES = 16;

/** The identity with a note that this Codex home holds a copy of its key. The latest 16 are kept. */
export function withCodexHome(entry: StoredIdentity, codexHome: string): StoredIdentity {
  const others = (entry.codex_homes ?? []).filter((home) => home !== codexHome);
  return { ...entry, codex_homes: [...others, codexHome].slice(-MAX_CODEX_HOMES) };
}

/** What is noted of a stored identity. */
export interface CopyNote {
  /** Absolute path of a Codex home that holds its key, or is about to. */
  readonly codexHome?: string | undefined;
  /** The OpenSSH line of a key that its key has replaced. */
  readonly formerLine?: string | undefined;
}

/**
 * Notes something of a stored identity, if its key is still the same.
 *
 * @throws {CliError} `store_locked`, to be tried again, if the identity is another one by now
 */
export async function noteCopy(
  store: CredentialStore,
  identity: StoredIdentity,
  { codexHome, formerLine }: CopyNote,
): Promise<void> {
  const line = publicLineOf(identity);
  await store.update((current) => {
    const found = current.identities.find(
      (entry) => isSameOwner(entry, identity) && publicLineOf(entry) === line,
    );
    if (found === undefined) throw changedMeanwhile(store.description);
    const copied = codexHome === undefined ? found : withCodexHome(found, codexHome);
    const noted = formerLine === undefined ? copied : withFormerKey(copied, formerLine);
    if (JSON.stringify(noted) === JSON.stringify(found)) return undefined;
    const identities = current.identities.map((entry) => (entry === found ? noted : entry));
    return { ...current, identities };
  });
}

/**
 * Finds the Codex homes that hold another key of a stored identity than the stored one. One that cannot be read is among them; one that holds
 * no agent, or another one, is not.
 */
export async function outdatedCodexHomes(entry: StoredIdentity): Promise<readonly string[]> {
  const homes: string[] = [];
  for (const home of entry.codex_homes ?? []) {
    if (await mayBeOutdated(home, entry)) homes.push(home);
  }
  return homes;
}

/** The command that puts the stored key into a Codex home. */
export function exportCommand(codexHome: string, authority: string): string {
  return `countersign identity export ${codexOptions(codexHome, authority)}`;
}

/** The command that takes the key of a Codex home over. */
export function importCommand(codexHome: string, authority: string): string {
  return `countersign identity import ${codexOptions(codexHome, authority)}`;
}

/** The error of an identity that another process has changed. */
export function changedMeanwhile(where: string): CliError {
  return new CliError("store_locked", `the agent in ${where} was changed by another process`, {
    retryable: true,
    hint: "run the same command again",
  });
}

function codexOptions(codexHome: string, authority: string): string {
  return `--codex-home ${quoteArgument(codexHome)} --authority ${authority}`;
}

async function mayBeOutdated(codexHome: string, entry: StoredIdentity): Promise<boolean> {
  try {
    const { identity } = await loadCodexHome(codexHome, entry.authority);
    if (identity === undefined) return false;
    const isSameAgent = identity.agent_runtime_id === entry.agent_runtime_id;
    return isSameAgent && publicLineOf(identity) !== publicLineOf(entry);
  } catch {
    // What cannot be read may hold it; the command that is named says what is wrong.
    return true;
  }
}
