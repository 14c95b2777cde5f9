import { signAssertion } from "@countersign/agent-assertion";
import { AgentKey, formatTimestamp } from "@countersign/agent-key";
import { COUNTERSIGN, startAuthority } from "./authority.ts";
import { requestText } from "./load-client.ts";
import { preparedRequests } from "./prepared-requests.ts";
import { seedDatabase } from "./seeded-database.ts";
import type { ServerLoad } from "./server-contender.ts";
import { ServerProcess } from "./server-process.ts";
import { onStage, type Stage } from "./stage.ts";

const CONNECTIONS = 16;
// Within what a timestamp may be off (300 s), with time to spare for a slow run.
const SPREAD_SECONDS = 120;
const BODY = JSON.stringify({ model: "m", input: "x".repeat(1_000) });

/** Gateways and a peer in front of one upstream, behind one generator of load. */
export interface GatewayStage {
  /** The gateway of the package, with the agent and its tasks in memory. */
  verifying(): Promise<ServerProcess>;
  /** The same, but its verifier takes everything. */
  unverified(): Promise<ServerProcess>;
  /** `countersign gateway`, asking an authority by HTTP, with a file to write its audit to or without. */
  command(options: { readonly audit: boolean }): Promise<ServerProcess>;
  /** http-proxy-3. */
  plainProxy(): Promise<ServerProcess>;
  /** The same request again and again. */
  repeated(server: ServerProcess): ServerLoad;
  /** Requests whose headers all differ. */
  different(server: ServerProcess, ready: number): ServerLoad;
  close(): Promise<void>;
}

/** Opens a stage on which one agent with 100 tasks is known. */
export async function openGatewayStage(): Promise<GatewayStage> {
  return await onStage(build);
}

async function build(stage: Stage): Promise<GatewayStage> {
  const database = stage.own(await seedDatabase("SQLite", { tasks: 100, knownAgents: 1 }));
  const authority = stage.own(await startAuthority(database));
  const upstream = await stage.program("upstream");
  const folder = await stage.folder();
  const generator = stage.generator();
  const [agent] = database.agents;
  if (agent === undefined) throw new Error("there is no agent");
  const key = AgentKey.importPkcs8(agent.pkcs8);

  function request(server: ServerProcess, turn: number, nowMs: number): string {
    const taskId = agent?.taskIds[turn % agent.taskIds.length] ?? "";
    const seconds = Math.floor(turn / 100) % (2 * SPREAD_SECONDS);
    const timestamp = formatTimestamp(nowMs + (seconds - SPREAD_SECONDS) * 1_000);
    const authorization = signAssertion({
      agentRuntimeId: agent?.id ?? "",
      taskId,
      key,
      timestamp,
    });
    const headers = {
      accept: "application/json",
      "accept-encoding": "gzip, deflate",
      authorization,
      "content-type": "application/json",
      "user-agent": "bench",
    };
    return requestText(server.url, "/v1/responses", headers, BODY);
  }

  return {
    verifying: () =>
      stage.proxyProgram("gateway", upstream.url, agent.id, key.publicKey.line, ...agent.taskIds),
    unverified: () => stage.proxyProgram("gateway", upstream.url),
    async command({ audit }) {
      const args = ["gateway", "--listen", "127.0.0.1:0", "--upstream", upstream.url];
      args.push("--authority", authority.url);
      if (audit) args.push("--audit", `${folder}/audit.jsonl`);
      return stage.own(await ServerProcess.start(COUNTERSIGN, args));
    },
    plainProxy: () => stage.program("plain-proxy", upstream.url),
    repeated(server) {
      const one = [request(server, 100 * SPREAD_SECONDS, Date.now())];
      return { server, generator, connections: CONNECTIONS, requests: () => one };
    },
    different(server, ready) {
      const nowMs = Date.now();
      const make = (count: number, offset: number) =>
        Array.from({ length: count }, (_, index) => request(server, index + offset, nowMs));
      const requests = preparedRequests(make, ready);
      return { server, generator, connections: CONNECTIONS, requests };
    },
    close: () => stage[Symbol.asyncDispose](),
  };
}
