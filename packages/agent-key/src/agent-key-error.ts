import { CountersignError } from "./countersign-error.js";

/**
 * A key, id, timestamp, authority or encoding that is not what the protocol allows.
 *
 * Codes: `invalid_key` (private or public key), `invalid_request` (id, scope, timestamp, base64), `config_invalid` (authority URL,
 * an option that is missing or wrong).
 */
export class AgentKeyError extends CountersignError {
  static override readonly brandName: string = "AgentKeyError";
}
