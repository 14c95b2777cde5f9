import { type AgentCredential, formatTimestamp } from "@countersign/agent-key";
import { CLOCK, checkOptions, numberIn } from "../internal/options.js";
import { signAssertion } from "./sign-assertion.js";

/** Options of {@link AssertionSigner}. */
export interface AssertionSignerOptions {
  /** The local clock, epoch milliseconds. Default `Date.now`. */
  readonly now?: (() => number) | undefined;
  /** How many tasks' headers are kept. 1 or more. Default 1000. */
  readonly maxEntries?: number | undefined;
}

interface KeptHeader {
  readonly second: number;
  readonly header: string;
}

/**
 * Makes the `Authorization` field of an agent's requests, and signs at most once a second for each task.
 *
 * Timestamps have whole seconds and Ed25519 is deterministic, so that a header kept for its second is the one that would be signed.
 * Headers are kept by authority and public key as well as by ids: equal ids of two authorities never share one.
 */
export class AssertionSigner {
  readonly #now: () => number;
  readonly #maxEntries: number;
  readonly #kept = new Map<string, KeptHeader>();

  /** @throws {AgentAssertionError} `config_invalid`, naming the option, if one is wrong */
  constructor(options: AssertionSignerOptions = {}) {
    checkOptions(options, { maxEntries: numberIn(1, Number.MAX_SAFE_INTEGER), now: CLOCK });
    this.#now = options.now ?? Date.now;
    this.#maxEntries = options.maxEntries ?? 1000;
  }

  /**
   * The whole field value for a request that is sent now. The credential's `clockOffsetSeconds` is added to the clock.
   *
   * @throws {AgentAssertionError} `invalid_request` when the credential holds an id that may not be signed
   */
  header(credential: AgentCredential): string {
    const { authority, agentRuntimeId, taskId, key, clockOffsetSeconds = 0 } = credential;
    const second = Math.floor(this.#now() / 1000 + clockOffsetSeconds);
    // None of the parts holds a line break: the authority is a URL, the ids are checked before anything is kept.
    const name = `${authority}\n${key.publicKey.line}\n${agentRuntimeId}\n${taskId}`;
    const kept = this.#kept.get(name);
    if (kept?.second === second) return kept.header;
    const timestamp = formatTimestamp(second * 1000);
    const header = signAssertion({ agentRuntimeId, taskId, key, timestamp });
    // Written last again, so that the first of the map is the one not signed for the longest time.
    this.#kept.delete(name);
    this.#kept.set(name, { second, header });
    if (this.#kept.size > this.#maxEntries) {
      for (const oldest of this.#kept.keys()) {
        this.#kept.delete(oldest);
        break;
      }
    }
    return header;
  }
}
