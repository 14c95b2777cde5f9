import { storeDenied } from "./store-denied.js";

/** @throws {StoreError} `store_denied` when it belongs to somebody else. Not checked on Windows, which has no such ids. */
export function assertOwnedByUser(path: string, uid: number): void {
  const own = process.getuid?.();
  if (own !== undefined && uid !== own) {
    throw storeDenied(path, "belongs to another user", "choose a place of your own");
  }
}
