import { CountersignError } from "@countersign/agent-key";

/**
 * A registration message that breaks the protocol, or a login for which no agent can be registered.
 *
 * Codes:
 * - `bad_response`: an answer of the authority that breaks the protocol.
 * - `invalid_request`, `invalid_key`: a request that the authority cannot read; an account id or a user id that is not valid; a rotation
 *   to a key that is not new.
 * - `expired`, `not_yet_valid`, `bad_signature`: a key rotation that fails the authority's check.
 * - `unauthenticated`: a biscuit request without a bearer token.
 * - `config_invalid`: options that contradict each other.
 * - `not_logged_in`: a human's login is needed, and there is no such login.
 * - `no_identity`: the identity was removed from the store while the call ran, or there is no identity to rotate.
 * - `timeout`: another process kept the lock on this login's agent until the deadline.
 * - `unknown_agent`, `agent_expired`: the authority refuses an agent that came with its key.
 * - `cancelled`: the caller or `close` ended the call, or the login changed.
 */
export class AgentIdentityError extends CountersignError {
  static override readonly brandName: string = "AgentIdentityError";
}
