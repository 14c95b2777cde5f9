import { AgentAuthorityError } from "../agent-authority-error.js";
import { fetchIssuerKeys, type IssuerKey, type IssuerKeys } from "./fetch-issuer-keys.js";
import type { OidcPolicy } from "./oidc-policy.js";

// How often anybody's token with an invented kid makes the issuer be asked.
const ASK_AGAIN_MS = 30_000;
// How often it is asked while nothing can be checked without its answer.
const RETRY_MS = 2000;

/** The keys of an issuer, asked for at first use and kept. */
export interface IssuerKeyCache {
  /**
   * The keys of this id; none: the issuer has no such key. Without an id, the key of an issuer that has a single one.
   *
   * @throws {AgentAuthorityError} `unreachable`, retryable, when the issuer does not say and what was known is too old
   */
  find(kid: string | undefined, nowMs: number): Promise<readonly IssuerKey[]>;
}

/**
 * Keeps the keys of an issuer. Calls at once share one question. A key that it does not know makes it ask again, at most once in 30
 * seconds. While the issuer gives none, the last ones are used for a bounded time.
 */
export function createIssuerKeyCache(policy: OidcPolicy): IssuerKeyCache {
  let keys: IssuerKeys = new Map();
  let fetchedAt: number | undefined;
  let askedAt: number | undefined;
  let failure: { readonly cause: unknown } | undefined;
  let flight: Promise<void> | undefined;

  const fetchKeys = async (nowMs: number): Promise<void> => {
    askedAt = nowMs;
    try {
      keys = await fetchIssuerKeys(policy, AbortSignal.timeout(policy.deadlineMs));
      fetchedAt = nowMs;
      failure = undefined;
    } catch (cause) {
      // Kept for callers that need the answer: they throw it. Callers that find a cached key go on.
      failure = { cause };
    } finally {
      flight = undefined;
    }
  };
  const ask = async (nowMs: number, pauseMs: number): Promise<void> => {
    if (flight === undefined && isNear(askedAt, pauseMs, nowMs)) return;
    flight ??= fetchKeys(nowMs);
    await flight;
  };

  return {
    async find(kid, nowMs) {
      const isUsable = () => isNear(fetchedAt, policy.staleMs, nowMs);
      if (!isNear(fetchedAt, policy.cacheMs, nowMs)) {
        await ask(nowMs, isUsable() ? ASK_AGAIN_MS : RETRY_MS);
        if (!isUsable() && failure !== undefined) throw unreachable(policy.name, failure.cause);
      }
      const found = pick(keys, kid);
      if (found !== undefined) return found;
      await ask(nowMs, ASK_AGAIN_MS);
      const later = pick(keys, kid);
      // The key may be a new one, so "unknown key" could be wrong.
      if (later === undefined && failure !== undefined) {
        throw unreachable(policy.name, failure.cause);
      }
      return later ?? [];
    },
  };
}

// Without an id in the token, several keys would be tried in turn: which one signs is the issuer's to say (RFC 7517 §4.5).
function pick(keys: IssuerKeys, kid: string | undefined): readonly IssuerKey[] | undefined {
  if (kid !== undefined) return keys.get(kid);
  const all = [...keys.values()].flat();
  return all.length === 1 ? all : undefined;
}

// A clock that was set back makes what was fetched old, not fresh for ever; the calls of one moment need not come in order.
function isNear(time: number | undefined, ms: number, nowMs: number): boolean {
  return time !== undefined && Math.abs(nowMs - time) < ms;
}

function unreachable(name: string, cause: unknown): AgentAuthorityError {
  return new AgentAuthorityError("unreachable", `the issuer ${name} does not tell its keys`, {
    cause,
    retryable: true,
    hint: "try again in a moment",
  });
}
