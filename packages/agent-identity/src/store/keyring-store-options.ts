import type { OpenKeyringEntry } from "./keyring-entry.js";

/** Options of `keyringStore`. */
export interface KeyringStoreOptions {
  /**
   * Home whose `locks` keep processes apart; holds no secret. Absolute, or begins with `~/`. All that share an entry must share it, for a keyring itself
   * has no lock.
   */
  readonly directory: string;
  /** Service of the entries in the keyring. Default `countersign`. */
  readonly service?: string | undefined;
  /** Account of the entries in the keyring. Default: the absolute path of `directory`, so that each home has its own. */
  readonly account?: string | undefined;
  /**
   * Bytes that one entry may hold; what is longer is kept in several. Range 512 and more. Default 2,400 on Windows, whose Credential Manager
   * takes no more than 2,560, else 60,000.
   */
  readonly maxEntryBytes?: number | undefined;
  /** Another keyring than the system's, for instance in tests. */
  readonly openEntry?: OpenKeyringEntry | undefined;
}
