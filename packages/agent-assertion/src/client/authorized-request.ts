import type { Code, Credential } from "@countersign/agent-key";
import { AgentAssertionError } from "../agent-assertion-error.js";
import type { Authorizer, Fields, Outgoing } from "./authorizer.js";
import { CREDENTIAL_FIELDS } from "./own-credentials.js";

/** How a hop is to be sent. */
export type HopRule =
  /** Exactly as the caller made the request; the caller's transport follows redirects too. Only ever the first hop. */
  | { readonly kind: "as_made" }
  /** Without these fields of the caller, in lower case, and with those of {@link AuthorizedRequest.fields}. */
  | { readonly kind: "ours"; readonly without: readonly string[] };

const AS_MADE: HopRule = { kind: "as_made" };

/**
 * One request of a caller's, with all its hops: the credential of the one that is sent now, and the one repetition that a refusal allows.
 *
 * @see protocol.md §10
 */
export class AuthorizedRequest {
  readonly #authorizer: Authorizer;
  readonly #signal: AbortSignal | undefined;
  #current: { readonly credential: Credential; readonly url: URL } | undefined;
  #hasRepeated = false;
  #isFirst: boolean;
  // Once a redirect led elsewhere, the server there chooses the next URL: it is not signed any more, wherever it leads.
  #hasLeft = false;

  /** @param isFirst - whether the next hop is the one that the caller asked for, and not a redirect's. Default true. */
  constructor(authorizer: Authorizer, signal?: AbortSignal | undefined, isFirst = true) {
    this.#authorizer = authorizer;
    this.#signal = signal;
    this.#isFirst = isFirst;
  }

  /**
   * Decides about the hop to this URL, and takes a credential for it if it is to have one.
   *
   * @param own - the credential fields that the caller gave it, in lower case; `authorization` stands for a user name in the URL too
   * @throws {AgentAssertionError} `invalid_request` if the hop leads elsewhere, or has its own credential, and that is refused
   * @throws {Error} the source's error; with a fallback, the registration's error if the human's token may not go to this origin
   */
  async enter(url: URL, own: readonly string[]): Promise<HopRule> {
    const isFirst = this.#isFirst;
    const { source, warnings, ownAuthorization } = this.#authorizer;
    this.#isFirst = false;
    this.#current = undefined;
    this.#hasLeft ||= !this.#authorizer.covers(url);
    if (this.#hasLeft) {
      this.#authorizer.elsewhere(url, !isFirst);
      return isFirst ? AS_MADE : { kind: "ours", without: CREDENTIAL_FIELDS };
    }
    if (ownAuthorization === "keep" && own.includes("authorization")) {
      warnings.kept(url);
      return { kind: "ours", without: [] };
    }
    const credential = await source.credential({ signal: this.#signal });
    const isCarried = this.#authorizer.carries(credential, url);
    if (!isCarried && isFirst) return AS_MADE;
    this.#replace(url, own);
    if (isCarried) this.#current = { credential, url };
    return { kind: "ours", without: this.#authorizer.replacedFields };
  }

  /** Whether the hop carries a credential of ours. */
  get isAuthorized(): boolean {
    return this.#current !== undefined;
  }

  /** Whether it does, and the body must be known for it. */
  get isBound(): boolean {
    return this.#authorizer.isBinding && this.isAuthorized;
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
    this.#authorizer.source.accepted(this.#current.credential, this.#current.url.origin);
  }

  /**
   * Takes the refusal of an attempt.
   *
   * @returns whether the request is to be sent once more, now with another credential; else the refusal is handed up
   */
  async refused(code: Code | undefined, isReplayable: boolean): Promise<boolean> {
    if (this.#current === undefined) return false;
    const { credential, url } = this.#current;
    const signal = this.#signal;
    const { source } = this.#authorizer;
    const { origin } = url;
    const other = await source.refused(credential, { code, origin }, { signal });
    if (other === undefined || !isReplayable || this.#hasRepeated) return false;
    if (!this.#authorizer.carries(other, url)) return false;
    this.#hasRepeated = true;
    this.#current = { credential: other, url };
    return true;
  }

  #replace(url: URL, own: readonly string[]): void {
    const { ownAuthorization, replacedFields, warnings } = this.#authorizer;
    const replaced = own.filter((name) => replacedFields.includes(name));
    if (replaced.length === 0) return;
    if (ownAuthorization === "refuse") throw refusedOwn(url, replaced);
    warnings.replaced(url, replaced);
  }
}

function refusedOwn({ origin }: URL, fields: readonly string[]): AgentAssertionError {
  const message = `a request to ${origin} has a credential of its own (${fields.join(", ")}): nothing was sent`;
  return new AgentAssertionError("invalid_request", message, {
    hint: "give the client no key of its own, or replace or keep it with ownAuthorization and keepFields",
  });
}
