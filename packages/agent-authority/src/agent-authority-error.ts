import { CountersignError } from "@countersign/agent-key";

/**
 * What the authority, its store or its registry refuses.
 *
 * Codes: `config_invalid` (options, database URL), `store_corrupt`, `store_locked`, `store_denied` (database), `address_in_use` and
 * `unreachable` (listening), `invalid_request` (arguments of the registry).
 */
export class AgentAuthorityError extends CountersignError {
  static override readonly brandName: string = "AgentAuthorityError";
}
