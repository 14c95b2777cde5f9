import { CountersignError } from "@countersign/agent-key";

/**
 * A registration message that is not what the protocol says, or an auth that cannot be registered.
 *
 * Codes: `bad_response` (an authority's answer), `invalid_request` and `invalid_key` (a request, as the authority reads it; an account
 * or user id that is none; a key rotation to a key that is not new), `expired`, `not_yet_valid` and `bad_signature` (a key rotation, as the
 * authority checks it), `unauthenticated` (a biscuit request without a bearer), `config_invalid` (options that contradict each
 * other), `not_logged_in` (human auth is needed and there is none), `no_identity` (the identity vanished meanwhile), `cancelled`.
 */
export class AgentIdentityError extends CountersignError {
  static override readonly brandName: string = "AgentIdentityError";
}
