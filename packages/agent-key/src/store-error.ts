import { CountersignError } from "./countersign-error.js";

/**
 * A store that cannot be used. It is never read as "empty": nothing is registered because a store was unreadable.
 *
 * Codes: `store_corrupt` (its content is not what it should be), `store_locked` (another process holds it, retryable), `store_denied`
 * (the system refuses, or somebody else owns it), `config_invalid` (a path that is not absolute, no home folder for `~/`, or an option that is wrong).
 */
export class StoreError extends CountersignError {
  static override readonly brandName: string = "StoreError";
}
