import { followsEnvProxies, isLoopbackHost } from "@countersign/agent-key";
import type { Dispatcher } from "undici";

type Undici = typeof import("undici");

let direct: Dispatcher | undefined;
let proxied: Dispatcher | undefined;

/**
 * Returns what sends a request to a URL where the caller gave no dispatcher: undici's global one, which the program may have set.
 *
 * A loopback host is reached directly, since a global dispatcher may be a proxy's, for instance Node's own under `NODE_USE_ENV_PROXY=1`.
 *
 * @param undici - the module, which is loaded at the first request
 */
export function defaultDispatcher(undici: Undici, url: string): Dispatcher {
  if (isLoopbackHost(new URL(url).hostname)) {
    direct ??= new undici.Agent();
    return direct;
  }
  const global = undici.getGlobalDispatcher();
  // The undici inside of an older Node does not share its global dispatcher with this one, whose own is then a plain Agent.
  if (!followsEnvProxies(url) || global.constructor !== undici.Agent) return global;
  proxied ??= new undici.EnvHttpProxyAgent();
  return proxied;
}
