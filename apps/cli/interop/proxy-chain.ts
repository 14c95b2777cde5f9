import { join } from "node:path";
import type { Checks } from "./checks.ts";
import { countersign, startCountersign } from "./countersign.ts";
import { type AuditLine, readAudit } from "./gateway-audit.ts";
import type { Scene } from "./interop-client.ts";
import { type StubApi, startStubApi } from "./stub-api.ts";

const ACCOUNT = "acct-1";
const UPSTREAM_AUTHORIZATION = "Bearer upstream-key-of-the-gateway";

/** One agent or task as the authority lists it. */
export interface Listed {
  readonly agent_runtime_id: string;
  readonly task_id: string;
}

/** A signing proxy before a gateway before an API, each started by the command that a user would give. */
export interface ProxyChain {
  readonly proxyUrl: string;
  /** Where the proxy takes requests without a token. */
  readonly socketPath: string;
  readonly gatewayUrl: string;
  readonly upstream: StubApi;
  /** The home of the agent that the proxy signs for. */
  readonly home: string;
  /** What clients present to the proxy. */
  readonly clientToken: string;
  /** The human's. */
  readonly accessToken: string;
  /** What the gateway saw, so many requests at least. */
  audited(count?: number): Promise<AuditLine[]>;
  /** What the authority registered. */
  agents(): Promise<Listed[]>;
  tasks(): Promise<Listed[]>;
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
  const start = async (args: string[], home: string, env: Record<string, string> = {}) => {
    const server = await startCountersign(args, { home: join(scene.folder, home), env });
    scene.onEnd(() => server.close());
    return server.url;
  };
  const operator = join(scene.folder, "operator");
  const home = join(scene.folder, "agent");
  const auditFile = join(scene.folder, "audit.jsonl");
  const socketPath = join(home, "proxy.sock");
  const list = async (what: string): Promise<Listed[]> =>
    JSON.parse(
      await countersign(["authority", what, "list", "--sort", "oldest", "--json"], {
        home: operator,
      }),
    );

  const upstream = await startStubApi();
  scene.onEnd(() => upstream.close());
  const authorityUrl = await start(["authority", "serve", "--listen", "127.0.0.1:0"], "operator");
  const token = ["authority", "token", "create", "--account", ACCOUNT, "--user", "user-1"];
  const accessToken = (await countersign(token, { home: operator })).trim();
  const gatewayUrl = await start(
    [
      ...["gateway", "--listen", "127.0.0.1:0", "--upstream", upstream.url],
      ...["--authority", authorityUrl, "--audit", auditFile],
      ...["--upstream-header", "Authorization: env:UPSTREAM_AUTHORIZATION"],
    ],
    "gateway",
    { UPSTREAM_AUTHORIZATION },
  );
  await countersign(["login", "--authority", authorityUrl, "--token-stdin"], {
    home,
    input: accessToken,
  });
  await countersign(["features", "enable", "use_agent_identity"], { home });
  const proxyUrl = await start(
    [
      ...["proxy", "--listen", "127.0.0.1:0", "--socket", socketPath],
      ...["--upstream", gatewayUrl],
      ...(threadHeader === undefined ? [] : ["--thread-header", threadHeader]),
    ],
    "agent",
  );
  const clientToken = (await countersign(["proxy", "token"], { home })).trim();
  return {
    ...{ proxyUrl, socketPath, gatewayUrl, upstream, home, clientToken, accessToken },
    audited: (count = 0) => readAudit(auditFile, (lines) => lines.length >= count),
    agents: () => list("agents"),
    tasks: () => list("tasks"),
  };
}

/**
 * Checks that every request went from the proxy through the gateway to the upstream, each under the task of its thread.
 *
 * @param threads - a name for the thread of each request, in the order in which they were sent
 * @param options - `webSockets`: the requests are handshakes
 */
export async function checkSigned(
  checks: Checks,
  chain: ProxyChain,
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
