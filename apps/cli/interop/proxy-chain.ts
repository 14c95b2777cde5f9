import { join } from "node:path";
import type { Checks } from "./checks.ts";
import { countersign, startServer } from "./countersign.ts";
import {
  ACCOUNT,
  type GatewayChain,
  startGatewayChain,
  UPSTREAM_AUTHORIZATION,
} from "./gateway-chain.ts";
import type { Scene } from "./interop-client.ts";

/** A signing proxy before a gateway before an API, each started by the command that a user would give. */
export interface ProxyChain extends GatewayChain {
  readonly proxyUrl: string;
  /** Where the proxy takes requests without a token. */
  readonly socketPath: string;
  /** The home of the agent that the proxy signs for. */
  readonly home: string;
  /** What clients present to the proxy. */
  readonly clientToken: string;
}

/** Options of {@link startProxyChain}. */
export interface ProxyChainOptions {
  /** The field that names the thread. Default: those that the proxy reads by itself. */
  readonly threadHeader?: string;
}

/** Starts authority, gateway and proxy, and logs the agent's human in. */
export async function startProxyChain(
  scene: Scene,
  { threadHeader }: ProxyChainOptions = {},
): Promise<ProxyChain> {
  const chain = await startGatewayChain(scene);
  const home = join(scene.folder, "agent");
  const socketPath = join(home, "proxy.sock");
  await countersign(["login", "--authority", chain.authorityUrl, "--token-stdin"], {
    home,
    input: chain.accessToken,
  });
  await countersign(["features", "enable", "use_agent_identity"], { home });
  const proxyUrl = await startServer(
    scene,
    [
      ...["proxy", "--listen", "127.0.0.1:0", "--socket", socketPath],
      ...["--upstream", chain.gatewayUrl],
      ...(threadHeader === undefined ? [] : ["--thread-header", threadHeader]),
    ],
    { home },
  );
  const clientToken = (await countersign(["proxy", "token"], { home })).trim();
  return { ...chain, proxyUrl, socketPath, home, clientToken };
}

/**
 * Checks that every request went from the proxy through the gateway to the upstream, each under the task of its thread.
 *
 * @param threads - a name for the thread of each request, in the order in which they were sent
 * @param options - `webSockets`: the requests are handshakes
 */
export async function checkSigned(
  checks: Checks,
  chain: GatewayChain & Pick<ProxyChain, "clientToken">,
  threads: readonly string[],
  { webSockets = false }: { readonly webSockets?: boolean } = {},
): Promise<void> {
  const audited = await chain.audited(threads.length);
  checks.equal(
    "the gateway verified every request",
    audited.map(({ status, code }) => [status, code]),
    threads.map(() => [webSockets ? 101 : 200, undefined]),
  );
  const agents = await chain.agents();
  const tasks = await chain.tasks();
  checks.equal(
    "the authority has one agent, and one task for each thread",
    [agents.length, tasks.length],
    [1, new Set(threads).size],
  );
  checks.equal(
    "each thread keeps to its task",
    firstPlaces(audited.map(({ task_id }) => task_id)),
    firstPlaces(threads),
  );
  const requests = webSockets ? chain.upstream.sockets : chain.upstream.requests;
  checks.equal(
    "the upstream sees who called, and the gateway's credential",
    requests.map(({ headers }) => [
      headers["x-agent-runtime-id"],
      headers["x-agent-task-id"],
      headers["x-agent-account-id"],
      headers.authorization,
    ]),
    audited.map(({ task_id }) => [
      ...[agents[0]?.agent_runtime_id, task_id, ACCOUNT, UPSTREAM_AUTHORIZATION],
    ]),
  );
  const received = JSON.stringify(requests.map(({ headers }) => headers));
  checks.ok(
    "neither an assertion, nor the client token, nor the human's reaches it",
    !["AgentAssertion", chain.clientToken, chain.accessToken].some((it) => received.includes(it)),
  );
}

/** Puts in place of each name the place where it was first seen. */
function firstPlaces(names: readonly (string | undefined)[]): number[] {
  return names.map((name) => names.indexOf(name));
}
