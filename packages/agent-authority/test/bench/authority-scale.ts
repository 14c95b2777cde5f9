/**
 * Measures whether registrations and verifications take longer in a database of 10,000 agents, 1,000,000 live tasks and as many audit events
 * than in one of 100 agents and 10,000 tasks. Each step is done in the one and then in the other, or the other way round, again and again in
 * one process: whatever else the machine does falls on both. The agent is another one each time. Figures are medians.
 *
 * Exits 1 when a step takes 1.3 times as long or more, on SQLite or on PostgreSQL (which is left out, and said so, where none answers).
 *
 *     pnpm --filter @countersign/bench authority-scale [--agents 10000]
 *
 * With fewer agents it is a quick look; its figures promise nothing.
 */
import { parseArgs } from "node:util";
import { createVerifier, signAssertion } from "@countersign/agent-assertion";
import { remoteDirectory } from "@countersign/agent-assertion/remote-directory";
import { AgentKey, formatTimestamp } from "@countersign/agent-key";
import { request } from "undici";
import { createAuthority, databaseDirectory, openStore } from "../../src/index.js";
import { median, timeOf } from "./measure.js";
import { type DatabaseKind, databaseKinds } from "./measured-databases.js";
import { type SeededAgent, seedRegistry } from "./seed-registry.js";

const SMALL = 100;
const KNOWN = 100;
const WARM = 50;
const TIMES = 300;
const MOST = 1.3;
const OFF = { addressPerMinute: "off", userPerMinute: "off", agentPerMinute: "off" } as const;

const { values } = parseArgs({ options: { agents: { type: "string", default: "10000" } } });
const large = Number(values.agents);

type Step = (agent: SeededAgent, count: number) => Promise<unknown>;

let holds = true;
for (const kind of await databaseKinds()) holds = (await measure(kind)) && holds;
console.log(`${holds ? "ok" : "FAIL"}: less than ${MOST} times each`);
process.exitCode = holds ? 0 : 1;

async function measure(kind: DatabaseKind): Promise<boolean> {
  await using few = await prepare(kind, SMALL);
  await using many = await prepare(kind, large);
  console.log(`\n${kind.name}, milliseconds  ${SMALL} agents  ${large} agents  ratio`);
  let holds = true;
  for (const name of Object.keys(few.steps)) {
    const times = { few: [] as number[], many: [] as number[] };
    const take = async (which: "few" | "many", count: number) => {
      const { agents, steps } = which === "few" ? few : many;
      const agent = agents[count % agents.length];
      const step = steps[name];
      if (agent === undefined || step === undefined) throw new Error("nothing to measure");
      const ms = await timeOf(() => step(agent, count));
      if (count >= WARM) times[which].push(ms);
    };
    for (let count = 0; count < WARM + TIMES; count += 1) {
      const order = count % 2 === 0 ? (["few", "many"] as const) : (["many", "few"] as const);
      for (const which of order) await take(which, count);
    }
    const ratio = median(times.many) / median(times.few);
    if (!(ratio < MOST)) holds = false;
    const figures = [median(times.few).toFixed(2), median(times.many).toFixed(2), ratio.toFixed(2)];
    console.log(name.padEnd(26) + figures.map((figure) => figure.padStart(11)).join(""));
  }
  return holds;
}

/** An authority on a database of so many agents, and the steps that are measured on it. */
async function prepare(kind: DatabaseKind, count: number) {
  const database = await kind.create();
  const store = await openStore(database.url);
  const agents = await seedRegistry(store, count, KNOWN).catch(async (error: unknown) => {
    await store.close();
    await database[Symbol.asyncDispose]();
    throw error;
  });
  const authority = await createAuthority({ store, rateLimits: OFF, maxLiveAgents: 1_000_000 });
  const { url } = await authority.listen({ host: "127.0.0.1", port: 0 });
  const { registry } = authority;
  const { userId } = agents[0] ?? { userId: "" };
  const human = { accountId: "acct-0", userId, role: "human", ttlSeconds: 86_400 } as const;
  const { token } = await registry.createAccessToken(human);
  const ofResourceServer = { ...human, role: "resource_server" } as const;
  const resourceServer = await registry.createAccessToken(ofResourceServer);
  const directory = remoteDirectory(url, {
    token: resourceServer.token,
    revocationDelaySeconds: 0,
  });
  const verifiers = {
    database: createVerifier({ directory: databaseDirectory(store, url) }),
    http: createVerifier({ directory }),
  };
  const verify =
    (verifier: keyof typeof verifiers): Step =>
    ({ id, key, taskIds }, count) => {
      const taskId = taskIds[count % taskIds.length] ?? "";
      const timestamp = formatTimestamp(Date.now());
      const header = signAssertion({ agentRuntimeId: id, taskId, key, timestamp });
      return verifiers[verifier].verify(header);
    };
  const steps: Readonly<Record<string, Step>> = {
    "register a task": ({ id, key }) => {
      const timestamp = formatTimestamp(Date.now());
      const signature = key.signText(`${id}:${timestamp}`);
      return post(`${url}/v1/agent/${id}/task/register`, {}, { signature, timestamp });
    },
    "register an agent": () =>
      post(`${url}/v1/agent/register`, { authorization: `Bearer ${token}` }, agentBody()),
    "verify, database": verify("database"),
    "verify, HTTP directory": verify("http"),
  };
  return {
    agents,
    steps,
    async [Symbol.asyncDispose]() {
      await directory.close?.();
      await authority.close();
      await store.close();
      await database[Symbol.asyncDispose]();
    },
  };
}

function agentBody(): object {
  return {
    abom: { agent_version: "1", agent_harness_id: "bench", running_location: "here" },
    agent_public_key: AgentKey.generate().publicKey.line,
    capabilities: [],
  };
}

async function post(url: string, headers: Record<string, string>, body: object): Promise<void> {
  const response = await request(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
  const text = await response.body.text();
  if (response.statusCode !== 200) throw new Error(`${response.statusCode} ${text}`);
}
