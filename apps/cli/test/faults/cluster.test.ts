import { setTimeout as wait } from "node:timers/promises";
import { createRegistry, openStore, type TokenRole } from "@countersign/agent-authority";
import {
  type SeededRandom,
  seededRandom,
  startTestUpstream,
  temporaryDirectory,
} from "@countersign/testing";
import { byEffort } from "@countersign/testing/effort";
import { expect, onTestFinished, test } from "vitest";
import { startBalancer } from "./cluster/balancer.js";
import { ClusterClient, Observations } from "./cluster/cluster-client.js";
import { Operator } from "./cluster/operator.js";
import {
  createPostgresSchema,
  POSTGRES_URL,
  postgresAnswers,
  query,
} from "./cluster/postgres-schema.js";
import { ServerSlot } from "./cluster/server-slot.js";

const SECONDS = Number(process.env.CLUSTER_SECONDS ?? byEffort(60, 10));
const CLIENTS = 5;
const MAX_AGE_MS = 15_000;
// How long a gateway that lost the authority serves what it was told before it asks again (remoteDirectory).
const MAX_BACKOFF_MS = 15_000;
const KILL_PAUSE_MS = 2_000;
const MINUTE_MS = 60_000;

const answers = await postgresAnswers();
if (!answers) {
  const { host } = new URL(POSTGRES_URL);
  console.log(`skipped: no PostgreSQL answers at ${host}; name one in DATABASE_URL`);
}

test.skipIf(!answers)(
  `two authorities and two gateways on one PostgreSQL, killed at random for ${SECONDS} s, are one: clients notice nothing that they do not recover from, revocations are seen in time, nothing is lost or doubled`,
  async () => {
    const random = seededRandom();
    console.log(`cluster: TEST_SEED=${random.seed}`);
    const cluster = await startCluster();
    const { authorities, gateways, registry } = cluster;
    const seen = new Observations();
    const [atOnce, cached] = gateways;
    const operator = new Operator(
      registry,
      [
        { name: "gateway --database", slot: atOnce, boundMs: () => 0 },
        {
          name: "gateway --authority",
          slot: cached,
          // The gateway uses an answer of the authority so long. If the connection breaks in that time, it uses the answer until its next question.
          boundMs: (from, to) =>
            MAX_AGE_MS +
            (authorities.some((slot) =>
              slot.killedAt.some((at) => at > from - MAX_AGE_MS && at <= to),
            )
              ? MAX_BACKOFF_MS
              : 0),
        },
      ],
      random.fork(),
    );
    const clients: ClusterClient[] = [];
    for (let index = 0; index < CLIENTS; index += 1) {
      const userId = `user-${index}`;
      const accessToken = await cluster.token("human", userId);
      const world = { authority: cluster.authority, origin: cluster.origin, userId, accessToken };
      const client = new ClusterClient(world, random.fork(), seen, operator.revokedAgents);
      clients.push(client);
      onTestFinished(() => client.close());
    }

    const time = new AbortController();
    onTestFinished(() => time.abort());
    const slots = [...authorities, ...gateways];
    const allHappened = () =>
      seen.turns > SECONDS &&
      seen.twins > 0 &&
      operator.revokedTasks.size > 0 &&
      operator.revokedAgents.size > 0 &&
      slots.every((slot) => slot.killedAt.length > 0);
    // A busy machine does less in the same time: it goes on until all of it did happen.
    const endInTime = async () => {
      await wait(SECONDS * 1000, undefined, { signal: time.signal });
      await expect.poll(allHappened, { timeout: MINUTE_MS }).toBe(true);
      time.abort();
    };
    await Promise.all([
      endInTime(),
      ...clients.map((client) => client.work(time.signal)),
      operator.work(clients, time.signal),
      killAtRandom(authorities, random.fork(), time.signal),
      killAtRandom(gateways, random.fork(), time.signal),
    ]);

    report(seen, operator, slots);
    expect(seen.failures).toEqual([]);
    expect(operator.violations).toEqual([]);
    expect(allHappened()).toBe(true);
    await checkRecords(cluster.database, seen, operator);
  },
  SECONDS * 1000 + 4 * MINUTE_MS,
);

interface Cluster {
  readonly database: string;
  /** Where clients reach an authority, whichever is up. */
  readonly authority: string;
  /** Where clients reach a gateway. */
  readonly origin: string;
  readonly authorities: readonly [ServerSlot, ServerSlot];
  readonly gateways: readonly [ServerSlot, ServerSlot];
  readonly registry: ReturnType<typeof createRegistry>;
  token(role: TokenRole, userId: string): Promise<string>;
}

async function startCluster(): Promise<Cluster> {
  const folder = await temporaryDirectory();
  onTestFinished(() => folder.remove());
  const database = await createPostgresSchema();
  const store = await openStore(database);
  onTestFinished(() => store.close());
  const registry = createRegistry(store);
  const token = async (role: TokenRole, userId: string) =>
    (await registry.createAccessToken({ accountId: "acct-1", userId, role, ttlSeconds: 86_400 }))
      .token;
  const upstream = await startTestUpstream();
  onTestFinished(() => upstream.close());

  const up: Record<"authorities" | "gateways", ServerSlot[]> = { authorities: [], gateways: [] };
  const authority = await startBalancer(() => up.authorities.map((slot) => slot.url));
  onTestFinished(() => authority.close());
  const origin = await startBalancer(() => up.gateways.map((slot) => slot.url));
  onTestFinished(() => origin.close());
  const env = {
    COUNTERSIGN_DATABASE_URL: database,
    RESOURCE_SERVER_TOKEN: await token("resource_server", "gateway"),
    // All clients come from one address here.
    COUNTERSIGN_AUTHORITY_RATE_LIMITS_REFUSALS_PER_MINUTE: "off",
    COUNTERSIGN_AUTHORITY_RATE_LIMITS_ADDRESS_PER_MINUTE: "off",
    COUNTERSIGN_AUTHORITY_RATE_LIMITS_USER_PER_MINUTE: "off",
    COUNTERSIGN_AUTHORITY_RATE_LIMITS_AGENT_PER_MINUTE: "off",
    COUNTERSIGN_AUTHORITY_MAX_LIVE_AGENTS: "1000000",
  };
  const start = async (args: readonly string[]) => {
    const slot = new ServerSlot({ args, home: `${folder.path}/home`, env });
    onTestFinished(() => slot[Symbol.asyncDispose]());
    await slot.start();
    return slot;
  };
  const listen = ["--listen", "127.0.0.1:0"];
  const serve = ["authority", "serve", ...listen, "--public-url", authority.url];
  const authorities = [await start(serve), await start(serve)] as const;
  up.authorities.push(...authorities);
  const gateway = ["gateway", ...listen, "--upstream", upstream.url, "--account", "acct-1"];
  const gateways = [
    await start([...gateway, "--database", "env:COUNTERSIGN_DATABASE_URL"]),
    await start([
      ...gateway,
      ...["--authority", authority.url, "--authority-token", "env:RESOURCE_SERVER_TOKEN"],
    ]),
  ] as const;
  up.gateways.push(...gateways);
  const urls = { authority: authority.url, origin: origin.url };
  return { database, ...urls, authorities, gateways, registry, token };
}

// One of the two at a time: somebody has to be there to go on with.
async function killAtRandom(
  slots: readonly ServerSlot[],
  random: SeededRandom,
  signal: AbortSignal,
): Promise<void> {
  for (let count = random.below(2); !signal.aborted; count += 1) {
    await wait(random.below(KILL_PAUSE_MS));
    // Each in the end, in an order of chance.
    const slot = random.below(4) === 0 ? random.pick(slots) : slots[count % slots.length];
    await slot?.kill();
    await wait(random.below(KILL_PAUSE_MS));
    await slot?.start();
  }
}

/** Expects that the database holds what clients were told, once, with an event for each. */
async function checkRecords(
  database: string,
  seen: Observations,
  operator: Operator,
): Promise<void> {
  const events = (action: string, column: string) =>
    query<{ id: string; count: number }>(
      database,
      `select ${column} as id, count(*)::int as count from audit_events where action = '${action}' and code is null group by 1`,
    );
  const ids = async (table: string, column: string) =>
    (await query<{ id: string }>(database, `select ${column} as id from ${table}`))
      .map(({ id }) => id)
      .toSorted();
  const tasks = await ids("tasks", "task_id");
  const agents = await ids("agents", "agent_runtime_id");
  for (const [action, column, expected] of [
    ["task_registered", "task_id", tasks],
    ["agent_registered", "agent_runtime_id", agents],
    ["task_revoked", "task_id", [...operator.revokedTasks].toSorted()],
    ["agent_revoked", "agent_runtime_id", [...operator.revokedAgents].toSorted()],
  ] as const) {
    const found = await events(action, column);
    expect(found.map(({ id }) => id).toSorted(), action).toEqual(expected);
    expect(
      found.filter(({ count }) => count !== 1),
      action,
    ).toEqual([]);
  }
  expect([...seen.tasks.keys()].filter((id) => !tasks.includes(id))).toEqual([]);
}

function report(seen: Observations, operator: Operator, slots: readonly ServerSlot[]): void {
  const kills = slots.map((slot) => slot.killedAt.length).join(", ");
  const latest = new Map<string, number>();
  for (const { gateway, letThroughMs } of operator.sightings) {
    latest.set(gateway, Math.max(latest.get(gateway) ?? 0, letThroughMs));
  }
  console.log(
    [
      `${seen.turns} turns, ${seen.tasks.size} tasks, ${seen.twins} pairs; kills ${kills}`,
      `recovered: ${JSON.stringify(Object.fromEntries(seen.recovered))}`,
      `revoked: ${operator.revokedTasks.size} tasks, ${operator.revokedAgents.size} agents; the last request let through at most ${JSON.stringify(Object.fromEntries(latest))} ms after`,
    ].join("\n"),
  );
}
