import { CountersignError } from "@countersign/agent-key";

/**
 * The base of every error of this package.
 *
 * Used as it is for what is no decision about an assertion: `invalid_request` (ids or a timestamp that cannot be signed, a request that a transport's options refuse),
 * `config_invalid` (options), `bad_response`, `unreachable`, `timeout`, `server_error`, `rate_limited`, `unauthenticated`,
 * `forbidden`, `refused`, `cancelled` (a directory that could not be asked), `unauthenticated` (a credential that may not go to an origin).
 */
export class AgentAssertionError extends CountersignError {
  static override readonly brandName: string = "AgentAssertionError";
}
