import {
  type AgentCredential,
  formatTimestamp,
  LinkedMap,
  numberIn,
  type SyncAgentSigner,
} from "@countersign/agent-key";
import { CLOCK, checkOptions } from "../internal/options.js";
import { signAt } from "./sign-assertion.js";

/** Options of {@link AssertionSigner}. */
export interface AssertionSignerOptions {
  /** The local clock, epoch milliseconds. Default `Date.now`. */
  readonly now?: (() => number) | undefined;
  /** How many tasks' headers are kept. 1 or more. Default 1000. */
  readonly maxEntries?: number | undefined;
}

interface KeptHeader {
  readonly authority: string;
  /** The line of the public key. */
  readonly line: string;
  readonly agentRuntimeId: string;
  readonly second: number;
  readonly header: string;
}

/**
 * Makes the `Authorization` field of an agent's requests, and signs at most once a second for each task.
 *
 * Timestamps have whole seconds and Ed25519 is deterministic, so that a header kept for its second is the one that would be signed.
 * Headers are kept by authority and public key as well as by ids: equal ids of two authorities never share one. Of equal task ids
 * the header that was signed last is kept.
 */
export class AssertionSigner {
  readonly #now: () => number;
  // By task id, which is a text that has its hash already: to join all that names a task cost more than all the rest.
  readonly #kept: LinkedMap<string, KeptHeader>;

  /** @throws {AgentAssertionError} `config_invalid`, naming the option, if one is wrong */
  constructor(options: AssertionSignerOptions = {}) {
    checkOptions(options, { maxEntries: numberIn(1, Number.MAX_SAFE_INTEGER), now: CLOCK });
    this.#now = options.now ?? Date.now;
    this.#kept = new LinkedMap(options.maxEntries ?? 1000);
  }

  /**
   * The whole field value for a request that is sent now. The credential's `clockOffsetSeconds` is added to the clock.
   *
   * @throws {AgentAssertionError} `invalid_request` when the credential holds an id that may not be signed
   * @throws {AgentKeyError} as `signWith`
   */
  header(credential: AgentCredential<SyncAgentSigner>): string {
    const { authority, agentRuntimeId, taskId, key, clockOffsetSeconds = 0 } = credential;
    const second = Math.floor(this.#now() / 1000 + clockOffsetSeconds);
    const { line } = key.publicKey;
    const kept = this.#kept.get(taskId);
    if (
      kept?.second === second &&
      kept.authority === authority &&
      kept.line === line &&
      kept.agentRuntimeId === agentRuntimeId
    ) {
      return kept.header;
    }
    const timestamp = formatTimestamp(second * 1000);
    const header = signAt({ agentRuntimeId, taskId, key, timestamp });
    this.#kept.set(taskId, { authority, line, agentRuntimeId, second, header });
    return header;
  }
}
