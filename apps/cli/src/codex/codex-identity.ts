import {
  type CredentialStore,
  memoryStore,
  publicLineOf,
  type StoredIdentity,
  type StoredLogin,
} from "@countersign/agent-identity";
import { CliError } from "../text/cli-error.js";

/** What is read of a Codex home. */
export interface CodexHome {
  /** The login of Codex; `null`: there is none, or Codex works with an API key. */
  readonly login: StoredLogin | null;
  /** What is wrong with a login that cannot be read. */
  readonly loginProblem: string | undefined;
  /** The agent in the home, of generation A or C; `undefined`: there is none. */
  readonly identity: StoredIdentity | undefined;
}

/**
 * Opens `auth.json` of a Codex home as a store of identities, with another store for what has no place in it.
 *
 * @param authority - normalised; nothing is sent there, so that any kind of http is as good as another
 * @param form - in which an agent is written; needed to write one
 */
export async function openCodexStore(
  codexHome: string,
  authority: string,
  beside: CredentialStore,
  form?: "A" | "C",
): Promise<CredentialStore> {
  const { codexAuthStore } = await import("@countersign/codex-home");
  return codexAuthStore(codexHome, { authority, beside, form, insecureHttp: true });
}

/**
 * Reads a Codex home and changes nothing in it.
 *
 * @throws {CliError} `store_corrupt` when the agent in it cannot be read
 * @throws {StoreError} `store_corrupt`, `store_denied` when `auth.json` cannot be
 */
export async function loadCodexHome(codexHome: string, authority: string): Promise<CodexHome> {
  const store = await openCodexStore(codexHome, authority, memoryStore());
  const { login, identities, unreadable = [] } = await store.load();
  const broken = unreadable.find(({ member }) => member === "identities");
  if (broken !== undefined) throw unreadableAgent(store.description, broken.problem);
  const [identity] = identities;
  if (identity !== undefined && publicLineOf(identity) === undefined) {
    throw unreadableAgent(store.description, "its private key is not valid");
  }
  const loginProblem = unreadable.find(({ member }) => member === "login")?.problem;
  return { login, loginProblem, identity };
}

/** Returns whether two stored members are for the same user in the same account of the same authority. */
export function isSameOwner(one: Owner, other: Owner): boolean {
  return (
    one.authority === other.authority &&
    one.account_id === other.account_id &&
    one.user_id === other.user_id
  );
}

/** Whose an agent is, and with which authority. */
export interface Owner {
  readonly authority: string;
  readonly account_id: string;
  readonly user_id: string;
}

/** The error of an agent in `auth.json` that is another program's, or broken. */
export function unreadableAgent(description: string, problem: string): CliError {
  return new CliError("store_corrupt", `the agent in ${description} cannot be read: ${problem}`, {
    hint: "it may be of another Codex; nothing was changed",
  });
}
