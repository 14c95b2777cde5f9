import {
  type CredentialStore,
  type Credentials,
  isFormerKey,
  publicLineOf,
  type StoredIdentity,
  type StoredLogin,
} from "@countersign/agent-identity";
import { AuthorityClient, AuthorityError } from "@countersign/agent-identity/authority-client";
import { AgentKey, formatTimestamp } from "@countersign/agent-key";
import type { Run } from "../config/run.js";
import { parseBaseUrl } from "../options/http-url.js";
import { CliError } from "../text/cli-error.js";
import { withProgress } from "../text/progress.js";
import { noteCopy } from "./codex-copies.js";
import { isSameOwner } from "./codex-identity.js";

/** Which of two keys is the newest of their agent. `neither`: the other key is not, and the authority does not say more. */
export type NewestKey = "stored" | "other" | "neither";

/** Two keys of one agent of one user. */
export interface KeyPair {
  /** As this home has it, registered. */
  readonly stored: StoredIdentity;
  /** As it was found elsewhere. */
  readonly other: StoredIdentity;
}

/** Returns whether two identities are the same agent of the same user with different keys. */
export function isOtherKey({ stored, other }: KeyPair): boolean {
  return (
    isSameOwner(stored, other) &&
    stored.agent_runtime_id === other.agent_runtime_id &&
    publicLineOf(stored) !== publicLineOf(other)
  );
}

/**
 * Finds which of two keys of one agent is the newest: from the former keys that this home has stored, otherwise from the authority.
 * If the stored key is the newest, this is noted in the store, so that the authority is asked only once.
 *
 * @throws {CliError} `invalid_request`, exit code 1, if a rotation of the stored key is not finished; `not_logged_in` if
 * the login is not that of the agent's user
 * @throws {AuthorityError} if the authority cannot be reached, or refuses the question itself
 */
export async function findNewestKey(
  run: Run,
  { store, login }: { readonly store: CredentialStore } & Pick<Credentials, "login">,
  { stored, other }: KeyPair,
): Promise<NewestKey> {
  if (stored.private_key === undefined) throw keyElsewhere(stored);
  if (stored.next_private_key !== undefined || stored.next_public_key !== undefined) {
    throw new CliError(
      "invalid_request",
      `a rotation of the key of ${stored.agent_runtime_id} is not finished`,
      { hint: "countersign identity rotate, then the same again", exitCode: 1 },
    );
  }
  if (publicLineOf(stored) === undefined) throw unreadableKey(store.description);
  const formerLine = publicLineOf(other) ?? "";
  if (isFormerKey(stored, formerLine)) return "stored";
  const newest = await askNewestKey(run, login, { stored, other });
  if (newest === "stored") await noteCopy(store, stored, { formerLine });
  return newest;
}

/** The error of a stored agent whose private key is not a key. */
export function unreadableKey(where: string): CliError {
  return new CliError("store_corrupt", `the private key of this agent in ${where} is not a key`, {
    hint: "restore it from a backup",
  });
}

/** The error of an agent whose private key is not in this home: Codex signs with a key in its own file alone. */
export function keyElsewhere({ agent_runtime_id }: StoredIdentity): CliError {
  return new CliError(
    "config_invalid",
    `the private key of ${agent_runtime_id} is kept elsewhere, and Codex signs only with one in its file`,
    { hint: "register another agent for Codex: countersign codex export, with another home" },
  );
}

/** The error of a key that is not the newest one of its agent, and is not known to be a former one either. */
export function unknownKey(codexHome: string, { stored }: KeyPair): CliError {
  const { agent_runtime_id, authority } = stored;
  return new CliError(
    "invalid_request",
    `${authority} does not confirm that the key in ${codexHome} is one of the agent ${agent_runtime_id}`,
    {
      hint: "if the key was rotated in another home, run countersign identity export there; if it is of another authority, name that one with --authority",
      exitCode: 1,
    },
  );
}

/**
 * Asks the authority which of two keys of one agent is its newest: the stored one, or one that was found elsewhere.
 *
 * The question is a rotation from the other key to the stored one (docs/protocol.md §5.6). If the stored key is the newest, it is a repetition and
 * changes nothing. If the other key is the newest, the stored key was the agent's before and is refused. An authority that never had the
 * stored key, for instance one that was restored from a backup, takes it. The other key never becomes the agent's by it, wherever it came from.
 */
async function askNewestKey(
  run: Run,
  login: StoredLogin | null,
  { stored, other }: KeyPair,
): Promise<NewestKey> {
  const { authority, account_id, user_id, agent_runtime_id: agentRuntimeId = "" } = stored;
  if (login?.kind !== "human" || !isSameOwner(login, stored)) {
    throw new CliError(
      "not_logged_in",
      `two keys of the agent ${agentRuntimeId} are known, and only a login of ${user_id} of ${account_id} can ask ${authority} which is the newer`,
      { hint: `countersign login --authority ${authority} --token-stdin, then the same again` },
    );
  }
  const client = new AuthorityClient({
    authority: parseBaseUrl(run, { url: authority, from: "the login" }),
    ...run.asking,
  });
  const question = {
    accessToken: login.access_token,
    agentRuntimeId,
    current: AgentKey.importPkcs8(other.private_key ?? ""),
    next: AgentKey.importPkcs8(stored.private_key ?? ""),
    timestamp: formatTimestamp(Date.now()),
  };
  const state = `asking ${authority} which key of ${agentRuntimeId} is the newer`;
  try {
    await withProgress(run.output, state, () => client.rotateKey(question, { signal: run.signal }));
    return "stored";
  } catch (error) {
    if (!AuthorityError.is(error)) throw error;
    if (error.code === "invalid_key") return "other";
    if (error.code === "bad_signature") return "neither";
    throw error;
  }
}
