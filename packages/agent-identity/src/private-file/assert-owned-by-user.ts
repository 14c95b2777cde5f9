import { denied } from "./store-denied.js";

/** @throws {CredentialStoreError} `store_denied` when it belongs to somebody else. Not checked on Windows, which has no such ids. */
export function assertOwnedByUser(path: string, uid: number): void {
  const own = process.getuid?.();
  if (own !== undefined && uid !== own) {
    throw denied(path, "belongs to another user", "choose a place of your own");
  }
}
