import { LinkedMap } from "@countersign/agent-key";
import type { AgentRecord } from "../directory/agent-directory.js";
import { isSignedBy } from "./is-signed-by.js";
import { type ParsedAssertion, parseAssertion } from "./parse-assertion.js";

interface Held {
  readonly parsed: ParsedAssertion;
  /** The line of the key under which the signature held. */
  readonly line: string;
}

/**
 * Remembers which signatures held, by the field's bytes and the public key, and what those bytes say. Nothing else: time, states and policy
 * are looked at each time (protocol.md §8).
 *
 * Only what held is kept, so that a caller without a key cannot fill it. The oldest goes first: an assertion is worth nothing after
 * its few minutes anyway.
 */
export class SignatureCache {
  readonly #held: LinkedMap<string, Held>;

  constructor(maxEntries: number) {
    this.#held = new LinkedMap(maxEntries);
  }

  /** Takes a field apart as {@link parseAssertion} does; one whose signature held before is not read again. */
  parse(header: string | readonly string[] | undefined): ParsedAssertion {
    const field: unknown = Array.isArray(header) && header.length === 1 ? header[0] : header;
    const held = typeof field === "string" ? this.#held.get(field) : undefined;
    return held?.parsed ?? parseAssertion(header);
  }

  /** Returns whether the assertion's signature is valid under one of the agent's keys. */
  isSigned(parsed: ParsedAssertion, agent: AgentRecord): boolean {
    const line = this.#held.get(parsed.header)?.line;
    if (line !== undefined && agent.publicKeys.some((key) => key.line === line)) return true;
    for (const key of agent.publicKeys) {
      if (isSignedBy(parsed, key)) {
        this.#keep(parsed, key.line);
        return true;
      }
    }
    return false;
  }

  // A small Buffer is a view of 8 KiB that it shares with others: its own copy keeps those from staying.
  #keep(parsed: ParsedAssertion, line: string): void {
    const signature = new Uint8Array(parsed.signature);
    this.#held.set(parsed.header, { parsed: { ...parsed, signature }, line });
  }
}
