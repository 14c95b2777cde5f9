import { setImmediate as turn } from "node:timers/promises";
import type { KeyringEntry, OpenKeyringEntry } from "../../src/store/keyring-entry.js";

/** A keyring in memory. */
export interface FakeKeyring {
  readonly openEntry: OpenKeyringEntry;
  /** What it holds, by account. */
  readonly entries: Map<string, Uint8Array>;
  /** Called before each use; what it throws is the keyring's failure. */
  before: (use: "get" | "set" | "delete", account: string) => void;
}

/** Makes a keyring in which every use takes a moment and that takes no more than so many bytes in one entry, as Windows does. */
export function openFakeKeyring(limit = 2560): FakeKeyring {
  const entries = new Map<string, Uint8Array>();
  const keyring: FakeKeyring = {
    entries,
    before: () => {},
    openEntry: (_, account): KeyringEntry => ({
      async getSecret() {
        await turn();
        keyring.before("get", account);
        return entries.get(account) ?? null;
      },
      async setSecret(secret) {
        await turn();
        keyring.before("set", account);
        if (secret.length > limit) throw new Error("Attribute 'secret' is longer than allowed");
        entries.set(account, Uint8Array.from(secret));
      },
      async deleteCredential() {
        await turn();
        keyring.before("delete", account);
        return entries.delete(account);
      },
    }),
  };
  return keyring;
}
