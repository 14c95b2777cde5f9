import {
  parseTrustedProxies,
  type TrustedProxies,
} from "@countersign/agent-assertion/client-address";
import { isPrincipalId } from "@countersign/agent-key";
import type { ProxyLimits } from "../limits/proxy-limits.js";
import { AssertionProxyError } from "../refusal/assertion-proxy-error.js";

/**
 * Checks the accounts that are to be served. An empty list, or an account that no agent can have, is a mistake in the configuration and not a
 * way to serve no account.
 *
 * @throws {AssertionProxyError} `config_invalid`
 */
export function checkAccounts(accounts: readonly string[] | "any"): readonly string[] | "any" {
  if (accounts === "any") return accounts;
  if (!Array.isArray(accounts) || accounts.length === 0 || !accounts.every(isPrincipalId)) {
    throw new AssertionProxyError(
      "config_invalid",
      'accounts must be a list of account ids, or "any"',
      {
        hint: "name at least one account",
      },
    );
  }
  return [...accounts];
}

/** Returns the limits for these accounts: a share keeps room for other accounts, and there is none where one alone is served. */
export function limitsFor(accounts: readonly string[] | "any", limits: ProxyLimits): ProxyLimits {
  const isAlone = accounts !== "any" && new Set(accounts).size === 1;
  return isAlone ? { ...limits, maxRequestsPerAccount: limits.maxRequests } : limits;
}

/**
 * Reads the proxies whose `X-Forwarded-For` is believed.
 *
 * @returns `undefined` for an empty list
 * @throws {AssertionProxyError} `config_invalid`
 */
export function checkProxies(list: readonly string[]): TrustedProxies | undefined {
  return list.length === 0 ? undefined : parseProxies(list);
}

/** Reads them as {@link checkProxies} does, with another one that is believed in any case. */
export function trustedProxiesWith(address: string, list: readonly string[]): TrustedProxies {
  return parseProxies([address, ...list]);
}

function parseProxies(list: readonly string[]): TrustedProxies {
  const proxies = list.every((entry) => typeof entry === "string")
    ? parseTrustedProxies(list)
    : undefined;
  if (proxies !== undefined) return proxies;
  throw new AssertionProxyError(
    "config_invalid",
    "trustedProxies must be a list of IP addresses and networks",
    { hint: "for instance 10.0.0.0/8" },
  );
}
