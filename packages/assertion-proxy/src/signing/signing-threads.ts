import type { CredentialSource } from "@countersign/agent-key";
import { comparableName, isConnectionField, isPlainName, shownName } from "../head/field-names.js";
import { keptBackKind } from "../head/kept-back-fields.js";
import { fieldValues, type RawFields } from "../head/raw-fields.js";
import { AssertionProxyError } from "../refusal/assertion-proxy-error.js";
import { RequestRefusal } from "../refusal/request-refusal.js";

const THREAD_ID = /^[!-~]{1,256}$/;

/** The most threads that one proxy serves at a time (security.md "Signing proxy"). */
export const MAX_THREADS = 1_000;

/**
 * Checks the names of the fields that may name a request's thread.
 *
 * @returns them in the form in which names are compared, the one that counts most first
 * @throws {AssertionProxyError} `config_invalid` for an empty list; for a name with other characters than letters, digits, `-` and `_`; for a
 * field of the connection, `x-agent-*`, and one that carries a credential
 */
export function parseThreadHeaders(names: readonly string[]): readonly string[] {
  if (names.length === 0) throw invalid("threadHeaders must name at least one header");
  return names.map((rawName) => {
    const shown = JSON.stringify(shownName(rawName));
    if (typeof rawName !== "string" || !isPlainName(rawName)) {
      throw invalid(`the thread header ${shown} must have only letters, digits, - and _`);
    }
    const name = comparableName(rawName);
    const kind = keptBackKind(name);
    if (isConnectionField(name) || name === "cookie" || kind === "proxy" || kind === "key") {
      throw invalid(`the header ${shown} cannot name a thread: it has another use`);
    }
    return name;
  });
}

function invalid(message: string): AssertionProxyError {
  return new AssertionProxyError("config_invalid", message, {
    hint: "give names such as x-thread-id",
  });
}

/**
 * Reads which thread a request belongs to: the value of the first of the fields that is there.
 *
 * @param names - as {@link parseThreadHeaders} returns them
 * @returns `undefined`: it names none
 * @throws {RequestRefusal} `invalid_request` unless that field is there once, with 1 to 256 visible ASCII characters
 */
export function threadOf(fields: RawFields, names: readonly string[]): string | undefined {
  for (const name of names) {
    const [value, another] = fieldValues(fields, name);
    if (value === undefined) continue;
    if (another !== undefined || !THREAD_ID.test(value)) {
      throw new RequestRefusal(
        "invalid_request",
        `${name} is not one thread's id of 1 to 256 visible ASCII characters`,
      );
    }
    return value;
  }
  return undefined;
}

/** Options of {@link SigningThreads}. */
export interface SigningThreadsOptions {
  /** Makes the source of a thread; of the run, for `undefined`. */
  readonly source: (threadId: string | undefined) => CredentialSource;
  /** 1 to 1,000. */
  readonly maxThreads: number;
  /** Milliseconds without a request after which a thread makes room for another. */
  readonly idleMs: number;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

interface LiveThread {
  readonly source: CredentialSource;
  readonly usedAt: number;
}

/** Keeps the source of each live thread: one that had a request within the idle time, or was not pushed out since. */
export class SigningThreads {
  readonly #options: SigningThreadsOptions;
  // In the order of their last use.
  readonly #live = new Map<string, LiveThread>();
  #run: CredentialSource | undefined;

  constructor(options: SigningThreadsOptions) {
    this.#options = options;
  }

  /** @throws {RequestRefusal} `rate_limited`, with the time until the first thread is idle, when there are too many */
  sourceOf(threadId: string | undefined): CredentialSource {
    if (threadId === undefined) {
      this.#run ??= this.#options.source(undefined);
      return this.#run;
    }
    const known = this.#live.get(threadId);
    if (known === undefined) this.#makeRoom();
    const source = known?.source ?? this.#options.source(threadId);
    this.#live.delete(threadId);
    this.#live.set(threadId, { source, usedAt: this.#options.now() });
    return source;
  }

  #makeRoom(): void {
    const { maxThreads, idleMs, now } = this.#options;
    if (this.#live.size < maxThreads) return;
    for (const [oldest, { usedAt }] of this.#live) {
      const waitMs = usedAt + idleMs - now();
      if (waitMs > 0) {
        throw new RequestRefusal("rate_limited", "too many threads use this proxy", {
          retryAfterSeconds: waitMs / 1_000,
        });
      }
      this.#live.delete(oldest);
      return;
    }
  }
}
