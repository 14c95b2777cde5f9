import { StoreError } from "@countersign/agent-key";
import { errnoOf } from "@countersign/private-file";

/** One secret of a keyring. */
export interface KeyringEntry {
  /** The secret's bytes; `null` or `undefined`: there is none. */
  getSecret(): Promise<ArrayLike<number> | null | undefined>;
  setSecret(secret: Uint8Array): Promise<unknown>;
  /** Resolves `false` when there was none. */
  deleteCredential(): Promise<boolean>;
}

/** Opens the entry of an account of a service. Opening makes nothing. */
export type OpenKeyringEntry = (service: string, account: string) => KeyringEntry;

type KeyringModule = Pick<typeof import("@napi-rs/keyring"), "AsyncEntry">;

/**
 * Loads the system's keyring: Keychain, Credential Manager, Secret Service.
 *
 * @param load - loads the package
 * @throws {StoreError} `store_denied` when `@napi-rs/keyring` is not installed or does not work on this platform
 */
export async function loadSystemKeyring(
  load: () => Promise<KeyringModule> = () => import("@napi-rs/keyring"),
): Promise<OpenKeyringEntry> {
  try {
    const { AsyncEntry } = await load();
    // Named, for without it the library falls back to the kernel's keyring, which forgets everything at the next start.
    const options = { linux: { store: "secret-service" as const } };
    return (service, account) => new AsyncEntry(service, account, options);
  } catch (cause) {
    const isMissing = errnoOf(cause) === "ERR_MODULE_NOT_FOUND";
    throw new StoreError(
      "store_denied",
      isMissing
        ? "the system's keyring cannot be used: the package @napi-rs/keyring is not installed"
        : "the system's keyring cannot be used: the package @napi-rs/keyring does not load here",
      { cause, hint: "install @napi-rs/keyring for this platform, or choose the file store" },
    );
  }
}
