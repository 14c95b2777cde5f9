import { readFile } from "node:fs/promises";
import type { StoredLogin } from "@countersign/agent-identity";
import type { KeySet } from "@countersign/agent-identity/identity-jwt";
import type { Run } from "../config/run.js";
import { isSystemError, reasonOf } from "../home/home.js";
import { CliError } from "../text/cli-error.js";
import { parseOriginUrl } from "./http-url.js";

/** The keys that an identity JWT is held against at login, and what is stored of where they come from. */
export interface KeySetOfLogin {
  readonly keySet: KeySet;
  /** The server that is asked for them; `undefined`: they come from a file. */
  readonly origin: string | undefined;
  /** Members of the stored login. */
  readonly stored: { readonly key_set_url?: string; readonly key_set_pinned?: true };
}

/**
 * Opens the key set that `--key-set` names: a URL, or a file that is read once and then pinned. Without it the authority's own, at the URL
 * that Codex derives from its base URL.
 *
 * @throws {CliError} `config_invalid` when the file cannot be read or is no JSON, or the URL is plain http to another machine
 * @throws {AgentIdentityError} `config_invalid` when the file is no JWK set with a key that can be used
 */
export async function openKeySet(
  run: Run,
  option: string | undefined,
  authority: string,
): Promise<KeySetOfLogin> {
  const { keySetUrl, pinnedKeySet, remoteKeySet } = await import(
    "@countersign/agent-identity/identity-jwt"
  );
  if (option !== undefined && !/^https?:/i.test(option)) {
    const keySet = pinnedKeySet(await readKeySet(option));
    return { keySet, origin: undefined, stored: { key_set_pinned: true } };
  }
  const url = option ?? keySetUrl(authority, run.http);
  const from = option === undefined ? "the authority's key set" : "--key-set";
  return {
    origin: parseOriginUrl(run, { url, from }),
    keySet: remoteKeySet(url, run.http),
    stored: option === undefined ? {} : { key_set_url: url },
  };
}

/**
 * The pinned key set of a stored login.
 *
 * @returns `undefined` when the login has none: it is a human's, or its keys are asked for
 * @throws {CliError} `store_corrupt` when it has one that cannot be read
 */
export async function pinnedKeySetOf(login: StoredLogin | null): Promise<KeySet | undefined> {
  if (login?.kind !== "agent" || login.key_set_pinned !== true) return undefined;
  if (login.key_set === undefined || login.key_set.keys.length === 0) {
    throw new CliError(
      "store_corrupt",
      "the keys that the stored login was pinned to are missing",
      {
        hint: "log in again: countersign login --identity-jwt-stdin --key-set FILE",
      },
    );
  }
  const { pinnedKeySet } = await import("@countersign/agent-identity/identity-jwt");
  return pinnedKeySet(login.key_set);
}

async function readKeySet(path: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw new CliError("config_invalid", `--key-set: ${path} cannot be read: ${reasonOf(error)}`, {
      cause: error,
      hint: "name a file with a JWK set, or the https URL of one",
    });
  }
  try {
    return JSON.parse(text);
  } catch {
    // The parser's message quotes the text, and the file may be another than was meant.
    throw new CliError("config_invalid", `--key-set: ${path} is not JSON`, {
      hint: 'the file holds a JWK set: {"keys": [...]}',
    });
  }
}
