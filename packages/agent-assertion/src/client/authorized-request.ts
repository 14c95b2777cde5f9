import type { Code, Credential } from "@countersign/agent-key";
import type { Authorizer, Fields, Outgoing } from "./authorizer.js";

/**
 * One request of a caller's, with all its hops: the credential of the one that is sent now, and the one repetition that a refusal allows.
 *
 * @see protocol.md §8
 */
export class AuthorizedRequest {
  readonly #authorizer: Authorizer;
  readonly #signal: AbortSignal | undefined;
  #current: { readonly credential: Credential; readonly origin: string } | undefined;
  #hasRepeated = false;
  // Once a redirect led elsewhere, whoever is there chooses the next URL: it is not signed any more, wherever it leads.
  #hasLeft = false;

  constructor(authorizer: Authorizer, signal?: AbortSignal | undefined) {
    this.#authorizer = authorizer;
    this.#signal = signal;
  }

  /** Takes a credential for the hop to this URL; without one for a URL that is not named, or is reached through one that is not. */
  async enter(url: URL): Promise<void> {
    this.#current = undefined;
    this.#hasLeft ||= !this.#authorizer.covers(url);
    if (this.#hasLeft) return;
    const credential = await this.#authorizer.source.credential({ signal: this.#signal });
    this.#current = { credential, origin: url.origin };
  }

  /** The fields of an attempt that is sent now. */
  fields(outgoing: Outgoing): Fields {
    if (this.#current === undefined) return [];
    return this.#authorizer.fields(this.#current.credential, outgoing);
  }

  /** Whether an answer with this status refuses the credential that was sent. */
  isRefusal(status: number): boolean {
    return status === 401 && this.#current !== undefined;
  }

  /** Takes note of an answer that refuses nothing. */
  accepted(): void {
    if (this.#current === undefined) return;
    this.#authorizer.source.accepted(this.#current.credential, this.#current.origin);
  }

  /**
   * Takes the refusal of an attempt.
   *
   * @returns whether the request is to be sent once more, now with another credential; else the refusal is handed up
   */
  async refused(code: Code | undefined, isReplayable: boolean): Promise<boolean> {
    if (this.#current === undefined) return false;
    const { credential, origin } = this.#current;
    const signal = this.#signal;
    const { source } = this.#authorizer;
    const other = await source.refused(credential, { code, origin }, { signal });
    if (other === undefined || !isReplayable || this.#hasRepeated) return false;
    this.#hasRepeated = true;
    this.#current = { credential: other, origin };
    return true;
  }
}
