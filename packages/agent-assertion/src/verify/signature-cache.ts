import type { AgentRecord } from "../directory/agent-directory.js";
import { isSignedBy } from "./is-signed-by.js";
import type { ParsedAssertion } from "./parse-assertion.js";

/**
 * Remembers which signatures held, by the field's bytes and the public key, and nothing else: time, states and policy are looked at
 * each time (protocol.md §6).
 *
 * Only what held is kept, so that nobody without a key can fill it. The oldest goes first: an assertion is worth nothing after
 * its few minutes anyway.
 */
export class SignatureCache {
  readonly #maxEntries: number;
  // From the field to the line of the key under which it held.
  readonly #held = new Map<string, string>();

  constructor(maxEntries: number) {
    this.#maxEntries = maxEntries;
  }

  /** Tells whether the assertion's signature holds under one of the agent's keys. */
  isSigned(parsed: ParsedAssertion, agent: AgentRecord): boolean {
    const line = this.#held.get(parsed.header);
    if (line !== undefined && agent.publicKeys.some((key) => key.line === line)) return true;
    for (const key of agent.publicKeys) {
      if (isSignedBy(parsed, key)) {
        this.#keep(parsed.header, key.line);
        return true;
      }
    }
    return false;
  }

  #keep(header: string, line: string): void {
    this.#held.set(header, line);
    if (this.#held.size <= this.#maxEntries) return;
    for (const oldest of this.#held.keys()) {
      this.#held.delete(oldest);
      break;
    }
  }
}
