import { type SeededRandom, seededRandom } from "@countersign/testing";
import { byEffort } from "@countersign/testing/effort";
import { Client } from "pg";
import { describe, expect, it, onTestFinished } from "vitest";
import { createRegistry, openStore } from "../src/index.js";
import { checkLedger } from "./kill-rounds/check-ledger.js";
import { Ledger } from "./kill-rounds/ledger.js";
import { RegistrationClient } from "./kill-rounds/registration-client.js";
import { kill, startProgram } from "./run-process.js";
import { NOON } from "./start-authority.js";
import { createTestDatabase, databaseKind } from "./test-database.js";

const ROUNDS = byEffort(100, 10);
const CLIENTS = 8;
const MOST_ANSWERS = 60;
const CHECK_EVERY = byEffort(10, 5);
// Every ALONE_EVERY-th authority starts after the previous one was killed, and finds a database that no process has open. The others start
// beside the previous one, which takes half the time, and find its locks.
const ALONE_EVERY = 5;
const SLOW_MS = 600_000;
// The clock stands still, so that neither a biscuit's minute nor a window of time depends on the machine.
const AUTHORITY = JSON.stringify({
  nowMs: NOON,
  maxLiveAgents: 1_000_000,
  rateLimits: {
    refusalsPerMinute: "off",
    addressPerMinute: "off",
    userPerMinute: "off",
    agentPerMinute: "off",
  },
});

describe(`an authority that is killed in the middle of its work, ${ROUNDS} times`, () => {
  it(
    "has every registration that it acknowledged, and none twice",
    async () => {
      const random = seededRandom();
      console.log(`kill rounds on ${databaseKind}: TEST_SEED=${random.seed}`);
      const database = await createTestDatabase();
      onTestFinished(() => database.drop());
      const name = `countersign-kill-rounds-${random.seed}`;
      const url = withApplicationName(database.url, name);
      // Each authority has a name of its own: the next one starts beside the one whose connections are ended, and must come up.
      const nameIn = (round: number) => `${name}-${round}`;
      const ledger = new Ledger();
      const clients = await createClients(url, ledger, random);
      const backends = databaseKind === "postgres" ? await Backends.connect(url, name) : undefined;

      const start = async (round: number) => {
        const own = withApplicationName(database.url, nameIn(round));
        const started = await startProgram("authority", [own, AUTHORITY]);
        onTestFinished(() => kill(started.child));
        return started;
      };
      let next: ReturnType<typeof start> | undefined;
      for (let round = 1; round <= ROUNDS; round += 1) {
        const { line, child } = await (next ?? start(round));
        next = round % ALONE_EVERY === 0 ? undefined : start(round + 1);
        const toKill = 1 + random.below(MOST_ANSWERS);
        const toTerminate = round % 2 === 0 ? 1 + random.below(toKill) : 0;
        let answers = 0;
        const onAnswer = () => {
          answers += 1;
          if (answers === toTerminate) void backends?.terminateOne(nameIn(round), random);
          if (answers === toKill) child.kill("SIGKILL");
        };
        await Promise.all(
          clients.map((client) => client.work({ url: line, nowMs: NOON, onAnswer })),
        );
        await kill(child);
        expect(child.signalCode).toBe("SIGKILL");
        if (round % CHECK_EVERY === 0) {
          // What a killed process had sent to PostgreSQL is carried out to its end.
          if (backends) await expect.poll(() => backends.count()).toBe(0);
          await using store = await openStore(database.url);
          await checkLedger(ledger, store.rows);
        }
      }
      const { acknowledged, unknown } = ledger;
      console.log(
        `${acknowledged} acknowledged, ${unknown} unheard, ${backends?.terminated ?? 0} backends`,
      );
      // The rounds did cut work off.
      expect(unknown).toBeGreaterThan(ROUNDS);
      if (backends) expect(backends.terminated).toBeGreaterThan(ROUNDS / 4);
    },
    SLOW_MS,
  );
});

async function createClients(
  url: string,
  ledger: Ledger,
  random: SeededRandom,
): Promise<RegistrationClient[]> {
  await using store = await openStore(url, { now: () => NOON });
  const registry = createRegistry(store);
  const clients: RegistrationClient[] = [];
  for (let index = 0; index < CLIENTS; index += 1) {
    const userId = `user-${index}`;
    const human = { accountId: "acct-1", userId, role: "human", ttlSeconds: 86_400 } as const;
    const { token } = await registry.createAccessToken(human);
    clients.push(new RegistrationClient(userId, token, ledger, random.fork()));
  }
  return clients;
}

/** The connections of the authorities to PostgreSQL, as the server sees them. */
class Backends {
  terminated = 0;
  readonly #client: Client;
  readonly #name: string;

  private constructor(client: Client, name: string) {
    this.#client = client;
    this.#name = name;
  }

  static async connect(url: string, name: string): Promise<Backends> {
    const client = new Client({ connectionString: withApplicationName(url, "") });
    await client.connect();
    onTestFinished(() => client.end());
    return new Backends(client, name);
  }

  /** Ends one connection of an authority, one that is at work if there is any. */
  async terminateOne(name: string, random: SeededRandom): Promise<void> {
    const all = await this.#list(name);
    const working = all.filter(({ state }) => state !== "idle");
    if (all.length === 0) return;
    const { pid } = random.pick(working.length > 0 ? working : all);
    const { rows } = await this.#client.query("select pg_terminate_backend($1) as done", [pid]);
    if (rows[0]?.done === true) this.terminated += 1;
  }

  async count(): Promise<number> {
    return (await this.#list(`${this.#name}%`)).length;
  }

  async #list(name: string): Promise<{ readonly pid: number; readonly state: string }[]> {
    const { rows } = await this.#client.query(
      "select pid, state from pg_stat_activity where application_name like $1 order by pid",
      [name],
    );
    return rows;
  }
}

function withApplicationName(url: string, name: string): string {
  if (databaseKind !== "postgres") return url;
  const named = new URL(url);
  named.searchParams.set("application_name", name);
  return named.href;
}
