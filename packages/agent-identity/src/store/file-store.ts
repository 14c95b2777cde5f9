import { join } from "node:path";
import { StoreError } from "@countersign/agent-key";
import {
  type FileVersion,
  keepFile,
  openPrivateDirectory,
  readPrivateFile,
  removeTemporaryFiles,
  resolveHome,
  withFileLock,
  writePrivateFile,
} from "@countersign/private-file";
import type { CredentialStore, Credentials } from "../credential-store.js";
import { emptyCredentials, formatCredentials, parseCredentials } from "./credentials-codec.js";
import { freezeCredentials } from "./frozen-credentials.js";
import { withNamedLock } from "./named-lock.js";

const FILE_NAME = "credentials.json";
// Others change the file only while they hold its lock; meeting this often means that somebody writes without it.
const MAX_CHANGES_UNDERNEATH = 5;

/**
 * Keeps everything in `credentials.json` of a directory: 0600 in 0700, replaced atomically and durably, under a lock that holds across
 * processes. Other processes of the same user can read it: nothing in a file store is safe from them.
 *
 * Nothing is made on disk before there is something to write or to lock. `load` looks at the directory and at the file, and
 * opens the file only if it changed since the last `load`. What it returns is frozen, and the same object until the file changes.
 *
 * @param path - of the directory: absolute, or begins with `~/`
 * @throws {StoreError} `config_invalid` if the path is relative or no path, or there is no home folder for `~/`
 */
export function fileStore(path: string): CredentialStore {
  const directory = resolveHome(path);
  const description = join(directory, FILE_NAME);
  const kept = keepFile<Credentials>(description);

  return {
    description,
    async load() {
      return kept.current() ?? (await kept.load(() => readFrozen(directory)));
    },
    async update(change, { signal } = {}) {
      const existing = await openPrivateDirectory(directory, { create: false });
      if (existing === undefined && change(emptyCredentials()) === undefined) {
        return emptyCredentials();
      }
      const opened = await openPrivateDirectory(directory);
      const file = join(opened, FILE_NAME);
      return await withFileLock(
        `${file}.lock`,
        async (lock) => {
          await removeTemporaryFiles(file);
          for (let attempt = 0; attempt < MAX_CHANGES_UNDERNEATH; attempt += 1) {
            const { credentials, generation } = await read(opened);
            const next = change(credentials);
            if (next === undefined) return credentials;
            const text = formatCredentials(next, credentials, file);
            const isWritten = await writePrivateFile(file, text, {
              expectedGeneration: generation,
              beforeRename: () => lock.assertHeld(),
            });
            if (!isWritten) continue;
            kept.drop();
            return parseCredentials(text, file);
          }
          throw changedUnderneath(file);
        },
        { signal },
      );
    },
    async withLock(name, run, { signal } = {}) {
      return await withNamedLock(directory, name, run, signal);
    },
  };
}

interface Content {
  readonly credentials: Credentials;
  /** Of the file; `undefined`: it does not exist. */
  readonly generation: string | undefined;
  readonly version: FileVersion | undefined;
}

const ABSENT = { generation: undefined, version: undefined };

async function read(directory: string): Promise<Content> {
  const file = join(directory, FILE_NAME);
  const found = await readPrivateFile(file);
  if (found === undefined) return { credentials: emptyCredentials(), ...ABSENT };
  const { text, generation, version } = found;
  return { credentials: parseCredentials(text, file), generation, version };
}

async function readFrozen(directory: string) {
  const opened = await openPrivateDirectory(directory, { create: false });
  const found = opened === undefined ? undefined : await read(opened);
  const { credentials = emptyCredentials(), version } = found ?? {};
  return { value: freezeCredentials(credentials), version };
}

function changedUnderneath(file: string): StoreError {
  return new StoreError("store_locked", `${file} keeps changing underneath`, {
    retryable: true,
    hint: "close the program that writes it without its lock, and try again",
  });
}
