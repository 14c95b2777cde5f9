import type { Auth, AuthSource } from "./auth.js";
import type { CredentialStore, Credentials } from "./credential-store.js";

/** How an answer of an auth source is read from what a store holds. */
export interface LoginReader {
  readonly store: CredentialStore;
  authOf(credentials: Credentials): Auth | undefined | Promise<Auth | undefined>;
}

type Ask = AuthSource["current"];

const readers = new WeakMap<Ask, LoginReader>();

/** Makes a function that answers by a load of the store, so that a caller that loads the store anyway does not load it twice. */
export function askOf(reader: LoginReader): Ask {
  const ask = async () => await reader.authOf(await reader.store.load());
  readers.set(ask, reader);
  return ask;
}

/** The reader behind a function of an auth source; `undefined`: it is not one that was made here. */
export function readerOf(ask: Ask): LoginReader | undefined {
  return readers.get(ask);
}
