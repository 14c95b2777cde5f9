import { CountersignError } from "@countersign/agent-key";

/**
 * What this package refuses or cannot do, below the level of one thread's registration.
 *
 * Codes: `bad_response` (an answer of the authority, a sealed box), `invalid_request`, `expired`, `not_yet_valid`, `bad_signature` (a
 * registration that is checked), `store_corrupt` (a stored thread), `not_logged_in` (no auth to use), `config_invalid` (a request outside of every
 * thread), `cancelled` (the manager is closed).
 */
export class AgentTaskError extends CountersignError {
  static override readonly brandName: string = "AgentTaskError";
}
