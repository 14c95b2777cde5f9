import type { Agent } from "node:http";
import { isLoopbackHost } from "./authority-url.js";

/**
 * Tells whether requests to a URL follow the proxies of the environment (`HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`): Node was told to use them, by
 * `NODE_USE_ENV_PROXY=1` or `--use-env-proxy`, and the host is not loopback.
 *
 * A request to loopback goes to no proxy, whatever `NO_PROXY` says: plain http is allowed there because it does not leave the machine.
 *
 * Whether `NO_PROXY` names the host is not looked at: undici's `EnvHttpProxyAgent` does.
 */
export function followsEnvProxies(url: string): boolean {
  // Node keeps what it was told at its own HTTP client. That is not imported: a program that signs and sends nothing does not load it.
  const agent: AgentOfNode = process.getBuiltinModule("node:http").globalAgent;
  return agent.options?.proxyEnv !== undefined && !isLoopbackHost(new URL(url).hostname);
}

/** What the types of Node 22.19, the oldest that is supported, do not have yet. */
interface AgentOfNode extends Agent {
  readonly options?: { readonly proxyEnv?: object };
}
