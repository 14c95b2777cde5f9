import type { Agent } from "node:http";
import { isLoopbackHost } from "./authority-url.js";

// A proxy that does not answer a CONNECT holds every request behind it.
const CONNECT_TIMEOUT_MS = 10_000;

/** What of the module undici {@link envProxyAgent} needs. */
export interface ProxyingUndici<ProxyAgent> {
  readonly EnvHttpProxyAgent: new (options: object) => ProxyAgent;
  readonly Pool: new (origin: URL, options: object) => object;
}

/**
 * Tells whether requests to a URL follow the proxies of the environment (`HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`): Node was told to use them, by
 * `NODE_USE_ENV_PROXY=1`, `--use-env-proxy` or `http.setGlobalProxyFromEnv()`, at least one is named, and the host is not loopback.
 *
 * A request to loopback goes to no proxy, whatever `NO_PROXY` says: plain http is allowed there because it does not leave the machine.
 *
 * Whether `NO_PROXY` names the host is not looked at: undici's `EnvHttpProxyAgent` does.
 */
export function followsEnvProxies(url: string): boolean {
  const { httpProxy, httpsProxy } = envProxies();
  const { protocol, hostname } = new URL(url);
  const proxy = protocol === "https:" ? httpsProxy || httpProxy : httpProxy;
  return proxy !== "" && !isLoopbackHost(hostname);
}

/**
 * Makes undici's agent for requests that follow the proxies of the environment. A proxy gets 10 seconds to answer a CONNECT.
 *
 * @param undici - the module
 * @param options - further options of the agent, for instance `connections`
 */
export function envProxyAgent<ProxyAgent>(
  { EnvHttpProxyAgent, Pool }: ProxyingUndici<ProxyAgent>,
  options: object = {},
): ProxyAgent {
  return new EnvHttpProxyAgent({
    ...options,
    ...envProxies(),
    // Serves the CONNECTs alone. What runs inside of a tunnel has the time that its caller gives it.
    clientFactory: (proxy: URL, own: object) =>
      new Pool(proxy, { ...own, headersTimeout: CONNECT_TIMEOUT_MS }),
  });
}

/**
 * The proxies that Node was told to use, empty texts without them: undici would look for what is not given in the variables of the process. Node keeps
 * them at its own HTTP client.
 */
function envProxies(): EnvProxies {
  // Not imported: a program that signs and sends nothing does not load it.
  const agent: AgentOfNode = process.getBuiltinModule("node:http").globalAgent;
  const env = agent.options?.proxyEnv ?? {};
  return {
    httpProxy: env.http_proxy || env.HTTP_PROXY || "",
    httpsProxy: env.https_proxy || env.HTTPS_PROXY || "",
    noProxy: env.no_proxy || env.NO_PROXY || "",
  };
}

interface EnvProxies {
  readonly httpProxy: string;
  /** Empty: as undici has it, `httpProxy` serves https too. */
  readonly httpsProxy: string;
  readonly noProxy: string;
}

type ProxyName = "http_proxy" | "https_proxy" | "no_proxy";
type ProxyVariable = ProxyName | Uppercase<ProxyName>;

/** What the types of Node 22.19, the oldest that is supported, do not have yet. */
interface AgentOfNode extends Agent {
  readonly options?: { readonly proxyEnv?: Readonly<Partial<Record<ProxyVariable, string>>> };
}
