import type { StoredIdentity, StoredLogin } from "./schema/credentials.js";

/** A member of a store that could not be read. It stays in the store as it is until somebody removes it on purpose. */
export interface UnreadableMember {
  /** Where it stands. `identities`: one entry of the list, or the whole list when `value` is no list of entries. */
  readonly member: "login" | "identities";
  /** What is wrong with it, for a person. Holds no value of the member. */
  readonly problem: string;
  /** The owner that it claims, as far as that can be read. */
  readonly authority?: string | undefined;
  readonly accountId?: string | undefined;
  readonly userId?: string | undefined;
  /** The member as stored. May hold secrets. */
  readonly value: unknown;
}

/** What a store holds, with the members as `credentials.json` has them. Unknown members are kept. */
export interface Credentials {
  readonly version: 1;
  readonly login: StoredLogin | null;
  /** One for each (authority, account, user). */
  readonly identities: readonly StoredIdentity[];
  /** Members that could not be read. In the result of a change: absent keeps them all. */
  readonly unreadable?: readonly UnreadableMember[] | undefined;
  readonly [member: string]: unknown;
}

/** Options of {@link CredentialStore} calls that may wait. */
export interface CredentialStoreOptions {
  /** Ends the waiting. The call then rejects with `cancelled`. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Keeps the login and the agents' keys. Values are secret; implementations keep them from other users of the machine.
 *
 * What a store takes and gives is plain data: `JSON.stringify` writes its secrets, because a store is there to write them. The stores of this
 * package keep them out of `console.log` and `util.inspect`; an implementation of your own does so by `showMembers` of
 * `@countersign/agent-key`.
 */
export interface CredentialStore {
  /** Names the store for messages, for instance its file. */
  readonly description: string;
  /**
   * Reads the store as it is now. A store that does not exist yet is `{ version: 1, login: null, identities: [] }`.
   *
   * Called for every request: fast if nothing changed. What the file store and the memory store of this package return is frozen.
   *
   * @throws {StoreError} `store_corrupt` or `store_denied`
   */
  load(): Promise<Credentials>;
  /**
   * Changes the store: under its lock, on what was just read again. `change` may be called again when the store changed underneath.
   *
   * @param change - gives the new content; `undefined` writes nothing
   * @returns what the store holds now
   * @throws {StoreError} `store_corrupt`, `store_denied`, `store_locked`
   */
  update(
    change: (current: Credentials) => Credentials | undefined,
    options?: CredentialStoreOptions,
  ): Promise<Credentials>;
  /**
   * Runs while holding a named lock across the processes that share this store. Never the lock that `update` takes.
   *
   * @param run - its argument, where given, is aborted when the lock was lost
   * @throws {StoreError} `store_locked` when somebody else keeps it too long
   */
  withLock<T>(
    name: string,
    run: (held?: AbortSignal) => Promise<T>,
    options?: CredentialStoreOptions,
  ): Promise<T>;
}
