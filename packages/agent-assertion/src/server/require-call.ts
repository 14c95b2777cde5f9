import { AgentAssertionError } from "../agent-assertion-error.js";

/**
 * Stops a server that did not call in the form that a middleware knows: one of an unknown major version, or another one. Call it before anything
 * asynchronous: such a server may not wait for a promise, and would leave its client waiting.
 *
 * @param isKnown - whether what it gave has that form
 * @param message - what was called, and by which server it should be
 * @throws {AgentAssertionError} `config_invalid` if it has not
 */
export function requireCall(isKnown: boolean, message: string, hint: string): void {
  if (!isKnown) throw new AgentAssertionError("config_invalid", message, { hint });
}
