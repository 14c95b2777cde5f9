export type { KeyringEntry, OpenKeyringEntry } from "./store/keyring-entry.js";
export { keyringStore } from "./store/keyring-store.js";
export type { KeyringStoreOptions } from "./store/keyring-store-options.js";
