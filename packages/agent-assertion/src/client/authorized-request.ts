import type { Code, Credential } from "@countersign/agent-key";
import { clientTraceFields, failSpan, type TraceSpan } from "@countersign/agent-key/tracing";
import { AgentAssertionError } from "../agent-assertion-error.js";
import { isReady } from "../sign/async/is-ready.js";
import type { Authorizer, Fields, Outgoing } from "./authorizer.js";
import { CREDENTIAL_FIELDS } from "./own-credentials.js";
import { credentialAttributes, startRequestSpan } from "./request-span.js";

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
  // Of the hop that was entered last, if spans are made.
  #span: TraceSpan | undefined;
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
    this.#span?.end();
    this.#span = undefined;
    this.#hasLeft ||= !this.#authorizer.covers(url);
    if (this.#hasLeft) {
      this.#authorizer.elsewhere(url, !isFirst);
      return isFirst ? AS_MADE : { kind: "ours", without: CREDENTIAL_FIELDS };
    }
    if (ownAuthorization === "keep" && own.includes("authorization")) {
      warnings.kept(url);
      return { kind: "ours", without: [] };
    }
    this.#span = startRequestSpan(url);
    const credential = await this.run(() => source.credential({ signal: this.#signal }));
    this.#span?.set(credentialAttributes(credential));
    const isCarried = this.#authorizer.carries(credential, url);
    if (!isCarried && isFirst) {
      this.#span?.end();
      return AS_MADE;
    }
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

  /** Does work in the span of the hop, if it has one: sends it, or asks for its credential. */
  run<T>(work: () => T): T {
    return this.#span === undefined ? work() : this.#span.run(work);
  }

  /** The fields that join the server's spans to that of the hop. */
  get traceFields(): Fields {
    return this.#span === undefined ? [] : clientTraceFields(this.#span);
  }

  /** Ends the span of the hop: it was answered, or what becomes of it is not seen here. */
  ended(status?: number): void {
    this.#span?.set({ "http.response.status_code": status });
    this.#span?.end({ isError: status !== undefined && status >= 400 });
  }

  /** Ends the span of the hop: it was not sent, or there is no answer. */
  failed(error: unknown): void {
    failSpan(this.#span, error);
  }

  /** The fields of an attempt that is sent now. */
  async fields(outgoing: Outgoing): Promise<Fields> {
    this.#describe(outgoing);
    if (this.#current === undefined) return [];
    const signal = this.#signal;
    return await this.#authorizer.fieldsAsync(this.#current.credential, outgoing, { signal });
  }

  /**
   * What gives the fields of an attempt each time that it is written. An `AgentKey` makes them again each time. Another signer makes them once, and they are
   * waited for.
   */
  repeatedFields(outgoing: Outgoing): (() => Fields) | Promise<() => Fields> {
    const credential = this.#current?.credential;
    if (credential === undefined) return () => [];
    if (isReady(credential)) {
      return () => {
        this.#describe(outgoing);
        return this.#authorizer.fields(credential, outgoing);
      };
    }
    return this.fields(outgoing).then((fields) => () => fields);
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
    this.#span?.set({ "countersign.code": code });
    const other = await this.run(() => source.refused(credential, { code, origin }, { signal }));
    if (other === undefined || !isReplayable || this.#hasRepeated) return false;
    if (!this.#authorizer.carries(other, url)) return false;
    this.#hasRepeated = true;
    this.#current = { credential: other, url };
    this.#span?.set({ ...credentialAttributes(other), "http.request.resend_count": 1 });
    return true;
  }

  #describe({ method }: Outgoing): void {
    this.#span?.rename(method);
    this.#span?.set({ "http.request.method": method });
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
    hint: "give the client no key, or choose by ownAuthorization and keepFields what is sent",
  });
}
