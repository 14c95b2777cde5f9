import type { CredentialSource } from "@countersign/agent-key";
import type { WhenOver } from "../exchange/admission.js";
import { comparableName, isConnectionField, isPlainName, shownName } from "../head/field-names.js";
import { keptBackKind } from "../head/kept-back-fields.js";
import { fieldValues, type RawFields } from "../head/raw-fields.js";
import { AssertionProxyError } from "../refusal/assertion-proxy-error.js";
import { RequestRefusal } from "../refusal/request-refusal.js";

const THREAD_ID = /^[!-~]{1,256}$/;

/** The most threads that one proxy may be told to keep. */
export const MAX_THREADS = 100_000;

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
  /** 1 to {@link MAX_THREADS}. */
  readonly maxThreads: number;
}

interface LiveThread {
  readonly source: CredentialSource;
  /** Requests that are not over. */
  inWork: number;
}

const RETRY_AFTER_SECONDS = 5;

/**
 * Keeps the sources of the threads that were used last. If there are too many, the one that has been idle for longest makes room; its task is
 * stored, and its next request finds it again.
 */
export class SigningThreads {
  readonly #options: SigningThreadsOptions;
  // In the order in which a request last began or ended.
  readonly #live = new Map<string, LiveThread>();
  #run: CredentialSource | undefined;

  constructor(options: SigningThreadsOptions) {
    this.#options = options;
  }

  /**
   * Gives the source for a request of a thread.
   *
   * @param whenOver - takes what is called when that request is over
   * @throws {RequestRefusal} `rate_limited` if there are too many threads with requests in work
   */
  sourceOf(threadId: string | undefined, whenOver: WhenOver): CredentialSource {
    if (threadId === undefined) {
      this.#run ??= this.#options.source(undefined);
      return this.#run;
    }
    let thread = this.#live.get(threadId);
    if (thread === undefined) {
      this.#makeRoom();
      thread = { source: this.#options.source(threadId), inWork: 0 };
    }
    const used = thread;
    used.inWork += 1;
    this.#moveToEnd(threadId, used);
    whenOver(() => {
      used.inWork -= 1;
      this.#moveToEnd(threadId, used);
    });
    return used.source;
  }

  #moveToEnd(threadId: string, thread: LiveThread): void {
    this.#live.delete(threadId);
    this.#live.set(threadId, thread);
  }

  #makeRoom(): void {
    if (this.#live.size < this.#options.maxThreads) return;
    for (const [threadId, { inWork }] of this.#live) {
      if (inWork > 0) continue;
      this.#live.delete(threadId);
      return;
    }
    throw new RequestRefusal("rate_limited", "too many threads use this proxy at once", {
      retryAfterSeconds: RETRY_AFTER_SECONDS,
    });
  }
}
