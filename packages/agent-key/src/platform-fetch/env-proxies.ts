import type { Agent } from "node:http";
import { isLoopbackHost } from "../loopback-host.js";
import { hasNodeHttp } from "./has-node-http.js";

/** Proxies in the form that Node's HTTP agents take. */
export interface ProxyEnv {
  readonly HTTP_PROXY: string;
  readonly HTTPS_PROXY: string;
  readonly NO_PROXY: string;
}

/**
 * Returns whether requests to a URL follow the proxies of the environment (`HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`). They do if Node was told
 * to use them (by `NODE_USE_ENV_PROXY=1`, `--use-env-proxy` or `http.setGlobalProxyFromEnv()`), a proxy is named for the URL's scheme, and the
 * host is not loopback.
 *
 * A request to loopback never goes to a proxy, even if `NO_PROXY` does not name loopback: plain http is allowed there because it does not
 * leave the machine.
 *
 * This function does not check whether `NO_PROXY` names the host: Node's HTTP agent does. Other runtimes have rules of their own; there the
 * result is `false`.
 */
export function followsEnvProxies(url: string): boolean {
  if (!hasNodeHttp()) return false;
  const { HTTP_PROXY, HTTPS_PROXY } = envProxies();
  const { protocol, hostname } = new URL(url);
  return (protocol === "https:" ? HTTPS_PROXY : HTTP_PROXY) !== "" && !isLoopbackHost(hostname);
}

/** The proxies that Node was told to use, empty texts without them. `HTTP_PROXY` serves https too if it alone is named. */
export function envProxies(): ProxyEnv {
  // Not imported: a program that signs and sends nothing does not load it. Node keeps the proxies at its own HTTP client.
  const agent: AgentOfNode = process.getBuiltinModule("node:http").globalAgent;
  const env = agent.options?.proxyEnv ?? {};
  const http = env.http_proxy || env.HTTP_PROXY || "";
  return {
    HTTP_PROXY: http,
    HTTPS_PROXY: env.https_proxy || env.HTTPS_PROXY || http,
    NO_PROXY: env.no_proxy || env.NO_PROXY || "",
  };
}

type ProxyName = "http_proxy" | "https_proxy" | "no_proxy";
type ProxyVariable = ProxyName | Uppercase<ProxyName>;

/** What the types of Node 22.19, the oldest that is supported, do not have yet. */
interface AgentOfNode extends Agent {
  readonly options?: { readonly proxyEnv?: Readonly<Partial<Record<ProxyVariable, string>>> };
}
