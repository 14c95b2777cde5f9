import { isLoopbackHost } from "../loopback-host.js";
import { followsEnvProxies } from "./env-proxies.js";
import type { Fetch } from "./fetch.js";
import { hasNodeHttp } from "./has-node-http.js";
import { nodeFetch } from "./node-fetch.js";

/**
 * Sends a request of Countersign's own, to an authority or an issuer: with the platform's `fetch`, but for two cases in which Node's HTTP client
 * is used, in Bun and Deno too.
 *
 * - A loopback host is reached directly, whatever proxy or dispatcher the program has set for its `fetch`: plain http is allowed there because it
 *   does not leave the machine.
 * - The proxies of the environment, if Node was told to use them ({@link followsEnvProxies}), get 10 seconds to answer a CONNECT.
 *
 * Ends with the signal, also while it waits for a connection. Which URLs may be asked is the caller's to check. Rejects as `fetch` does:
 * with the signal's reason if it is aborted, otherwise with a `TypeError` whose cause is the reason.
 */
export const platformFetch: Fetch = async (url, init) => {
  const { hostname } = new URL(url);
  if (hasNodeHttp() && (isLoopbackHost(hostname) || followsEnvProxies(url))) {
    return await nodeFetch(url, init);
  }
  return await fetch(url, init);
};
