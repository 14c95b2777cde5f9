import { envProxyAgent, followsEnvProxies, isLoopbackHost } from "@countersign/agent-key";
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
  if (!followsEnvProxies(url) || !isNodesOwn(undici, global)) return global;
  proxied ??= envProxyAgent(undici);
  return proxied;
}

/**
 * Tells whether nobody set the global dispatcher: it is what the undici inside of Node made for the proxies of the environment, and would wait five minutes
 * for a proxy that does not answer; or, where an older Node does not share that one, the plain Agent of this undici. What a program set that
 * looks the same cannot be told from it.
 */
function isNodesOwn(undici: Undici, global: Dispatcher): boolean {
  const made: unknown = global.constructor;
  if (made === undici.Agent) return true;
  return made !== undici.EnvHttpProxyAgent && global.constructor.name === "EnvHttpProxyAgent";
}
