import { join } from "node:path";
import { numberIn, type OptionShape, StoreError } from "@countersign/agent-key";
import { openPrivateDirectory, resolveHome, withFileLock } from "@countersign/private-file";
import type { CredentialStore, Credentials } from "../credential-store.js";
import { checkOptions } from "../internal/options.js";
import { emptyCredentials, formatCredentials, parseCredentials } from "./credentials-codec.js";
import { loadSystemKeyring } from "./keyring-entry.js";
import type { KeyringStoreOptions } from "./keyring-store-options.js";
import { KeyringText } from "./keyring-text.js";
import { hashName, withNamedLock } from "./named-lock.js";

const MIN_ENTRY_BYTES = 512;
const WINDOWS_ENTRY_BYTES = 2400;
const ENTRY_BYTES = 60_000;
const MAX_CHANGES_UNDERNEATH = 5;

const NAME: OptionShape = { type: "text", expected: "a text that is not empty", optional: true };
const SHAPES: Readonly<Record<string, OptionShape>> = {
  service: NAME,
  account: NAME,
  maxEntryBytes: numberIn(MIN_ENTRY_BYTES, Number.MAX_SAFE_INTEGER),
  openEntry: { type: "function", expected: "a function that opens an entry", optional: true },
};

/**
 * Keeps everything in the system's keyring: Keychain on macOS, Credential Manager on Windows, a Secret Service elsewhere. Needs the package
 * `@napi-rs/keyring`, loaded at the first use.
 *
 * Before the keyring is believed to be empty, and before anything is written, it has to give back a probe. Where there is none, or it is
 * locked, every call is `store_denied`: nothing is kept elsewhere instead. Every write is read back.
 *
 * @throws {StoreError} `config_invalid` if the directory is a relative path, or there is no home folder for `~/`; if a name has a
 *   control character
 * @throws {AgentKeyError} `config_invalid`, naming the option, if another one is wrong
 */
export function keyringStore(options: KeyringStoreOptions): CredentialStore {
  checkOptions(options, SHAPES);
  const { service = "countersign" } = options;
  const directory = resolveHome(options.directory);
  const account = options.account ?? directory;
  assertName("service", service);
  assertName("account", account);
  const maxEntryBytes = options.maxEntryBytes ?? defaultEntryBytes();
  const description = `the keyring entry ${service} (${account})`;
  const lockName = `keyring-${hashName(JSON.stringify([service, account]))}.lock`;
  // Failures are not remembered: the next call finds a keyring that was installed or unlocked since.
  const open = rememberSuccess(async () => {
    const openEntry = options.openEntry ?? (await loadSystemKeyring());
    return new KeyringText({ openEntry, service, account, maxEntryBytes, description });
  });
  const prove = rememberSuccess(async () => (await open()).probe());
  const read = async (text: KeyringText) => {
    const found = await text.load();
    // "Nothing there" is believed of a keyring that is known to keep things, and of no other.
    if (found === undefined) await prove();
    return {
      credentials:
        found === undefined ? emptyCredentials() : parseCredentials(found.text, description),
      generation: found?.generation,
    };
  };
  const write = async (
    text: KeyringText,
    change: (current: Credentials) => Credentials | undefined,
    assertHeld: () => Promise<void>,
  ): Promise<Credentials> => {
    await prove();
    for (let attempt = 0; attempt < MAX_CHANGES_UNDERNEATH; attempt += 1) {
      const { credentials, generation } = await read(text);
      const next = change(credentials);
      if (next === undefined) return credentials;
      const content = formatCredentials(next, credentials, description);
      if (await text.save(content, generation, assertHeld)) {
        return parseCredentials(content, description);
      }
    }
    throw new StoreError("store_locked", `${description} keeps changing underneath`, {
      retryable: true,
      hint: "give all programs that share the entry the same directory, and try again",
    });
  };

  return {
    description,
    async load() {
      return (await read(await open())).credentials;
    },
    async update(change, { signal } = {}) {
      const text = await open();
      const lock = join(await openPrivateDirectory(directory), lockName);
      const run = (held: { assertHeld(): Promise<void> }) =>
        write(text, change, () => held.assertHeld());
      return await withFileLock(lock, run, { signal });
    },
    async withLock(name, run, { signal } = {}) {
      return await withNamedLock(directory, name, run, signal);
    },
  };
}

function rememberSuccess<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make().catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    return made;
  };
}

function defaultEntryBytes(): number {
  return process.platform === "win32" ? WINDOWS_ENTRY_BYTES : ENTRY_BYTES;
}

function assertName(option: string, value: string): void {
  // An entry whose name has control characters cannot be found in a keyring manager, and NUL ends a name on some systems.
  if (!/\p{Cc}/u.test(value)) return;
  throw new StoreError("config_invalid", `${option} must be a text without control characters`, {
    hint: "give the name as a keyring manager shows it",
  });
}
