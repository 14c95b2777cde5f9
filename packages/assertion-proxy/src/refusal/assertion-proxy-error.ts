import { CountersignError } from "@countersign/agent-key";

/**
 * A proxy that cannot be made or started as told.
 *
 * Codes: `config_invalid` (an option that cannot hold), `address_in_use` (the address to listen on is taken), `store_denied` (a socket
 * that others could reach). A request that is refused is no error of the caller's: it gets its problem+json and its audit entry.
 */
export class AssertionProxyError extends CountersignError {
  static override readonly brandName: string = "AssertionProxyError";
}
