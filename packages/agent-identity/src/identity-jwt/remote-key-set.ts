import { numberIn, type OptionShape, parseOrigin } from "@countersign/agent-key";
import { AuthorityError } from "../authority-error.js";
import { AuthorityClient } from "../client/authority-client.js";
import type { AuthorityClientOptions } from "../client/authority-request.js";
import { checkOption, checkOptions, TRANSPORT_OPTIONS } from "../internal/options.js";
import { SharedFlights } from "../internal/shared-flights.js";
import { type PublicRsaKey, parseKeySet } from "../schema/key-set.js";
import type { KeySet } from "./key-set.js";

const FETCH_AGAIN_MS = 30_000;
const MAX_SECONDS = 7 * 24 * 3600;
const PASSING = new Set(["timeout", "unreachable", "server_error"]);

const KEPT_SECONDS = numberIn(0, MAX_SECONDS, { fraction: true });
const SHAPES: Readonly<Record<string, OptionShape>> = {
  cacheSeconds: KEPT_SECONDS,
  staleIfErrorSeconds: KEPT_SECONDS,
  ...TRANSPORT_OPTIONS,
};

/** Options of {@link remoteKeySet}. `deadlineMs` is 10,000 by default, and `attempts` 3. */
export interface RemoteKeySetOptions extends Omit<AuthorityClientOptions, "authority"> {
  /** How long a fetched set is used without asking again. Seconds, from 0 to a week. Default 600. */
  readonly cacheSeconds?: number | undefined;
  /**
   * How long after its fetch a set is still used while its server cannot be reached, does not answer in time or fails (5xx). Seconds, from
   * 0 to a week. Default 3600.
   */
  readonly staleIfErrorSeconds?: number | undefined;
}

/**
 * The key set at a URL, fetched at first use and kept. Calls at once share one fetch. A key that it does not hold makes it look again, at
 * most once in 30 seconds. Redirects are never followed, answers are JSON of at most 1 MiB, and no credential is sent.
 *
 * @param url - from the configuration, for instance by `keySetUrl`; never from a token
 * @throws {AgentKeyError} `config_invalid` if it is not a URL, or plain http to another machine without `insecureHttp`; if an option is wrong
 */
export function remoteKeySet(url: string, options: RemoteKeySetOptions = {}): KeySet {
  checkOption("url", url, { type: "text", expected: "the URL of a key set" });
  checkOptions(options, SHAPES);
  const { cacheSeconds = 600, staleIfErrorSeconds = 3600, ...clientOptions } = options;
  const cacheMs = cacheSeconds * 1000;
  const staleMs = staleIfErrorSeconds * 1000;
  const now = options.now ?? Date.now;
  const authority = parseOrigin(url, options, "url");
  const { pathname, search } = new URL(url);
  const { attempts = 3 } = clientOptions;
  const client = new AuthorityClient({ deadlineMs: 10_000, ...clientOptions, attempts, authority });
  const flights = new SharedFlights<void>(cancelled);
  let keys: readonly PublicRsaKey[] = [];
  let fetchedAt: number | undefined;
  let askedAt: number | undefined;

  // A clock that was set back makes everything old, not fresh for ever.
  const isWithin = (time: number | undefined, ms: number) =>
    time !== undefined && now() >= time && now() - time < ms;
  const peek = (kid: string) =>
    isWithin(fetchedAt, Math.max(cacheMs, staleMs)) ? keys.filter((key) => key.kid === kid) : [];

  const fetchKeys = async (signal: AbortSignal) => {
    const path = pathname + search;
    const answer = await client.request({ method: "GET", path }, { signal });
    const parsed = parseKeySet(answer.body);
    if (parsed === undefined) {
      const message = `the answer of ${authority}${pathname} is no key set`;
      throw new AuthorityError("bad_response", message, {
        status: answer.status,
        hint: "check the URL of the key set",
      });
    }
    keys = parsed;
    fetchedAt = now();
  };
  const fetchOnce = async (signal: AbortSignal) => {
    try {
      await fetchKeys(signal);
    } finally {
      // Set at the end, because a caller that comes before then shares this fetch.
      askedAt = now();
    }
  };
  const refresh = (signal: AbortSignal | undefined) => flights.join(url, fetchOnce, signal);

  return {
    peek,
    async find(kid, { signal } = {}) {
      if (!isWithin(fetchedAt, cacheMs)) {
        const isUsable = isWithin(fetchedAt, staleMs);
        // While its server fails the old set is not paid for with a new wait at every call.
        if (!isUsable || !isWithin(askedAt, FETCH_AGAIN_MS)) {
          await refresh(signal).catch((error: unknown) => {
            if (!isUsable || !isPassing(error)) throw error;
          });
        }
      }
      const found = keys.filter((key) => key.kid === kid);
      if (found.length > 0 || isWithin(askedAt, FETCH_AGAIN_MS)) return found;
      await refresh(signal);
      return keys.filter((key) => key.kid === kid);
    },
  };
}

function isPassing(error: unknown): boolean {
  return AuthorityError.is(error) && error.retryable && PASSING.has(error.code);
}

function cancelled(cause: unknown): AuthorityError {
  return new AuthorityError("cancelled", "the wait for the key set was cancelled", { cause });
}
