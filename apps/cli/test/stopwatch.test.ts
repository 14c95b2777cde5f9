// What an operator knows at 3 a.m. → the command that finds what it is → the command that stops it, beside 100,000 other agents with 1,000,000 tasks.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { connectAgent } from "@countersign/agent";
import { AssertionSigner } from "@countersign/agent-assertion/sign";
import { headerAsync } from "@countersign/agent-assertion/sign-async";
import { openStore } from "@countersign/agent-authority";
import { registryRows } from "@countersign/testing";
import { effort } from "@countersign/testing/effort";
import { describe, expect, onTestFinished, test } from "vitest";
import { json, output } from "./command-line.js";
import { createDatabase, postgresAnswers, runOn } from "./postgres.js";
import { type ServerWorld, serverWorld } from "./servers.js";

// To fill a database of this size takes a busy machine a minute or two.
const SEED_MS = 600_000;
const AGENTS = effort === "full" ? 100_000 : 5_000;
const TASKS_OF_AGENT = effort === "full" ? 10 : 2;

async function seed(url: string): Promise<void> {
  await (await openStore(url)).close();
  const isPostgres = url.startsWith("postgres");
  const rows = registryRows({ isPostgres, agents: AGENTS, tasksOfAgent: TASKS_OF_AGENT });
  if (isPostgres) {
    // An event is appended by a trigger, one by one; these are there already.
    const events = `select setval('audit_events_sequence', ${AGENTS * (1 + TASKS_OF_AGENT)})`;
    const statements = [
      "alter table audit_events disable trigger user",
      ...rows,
      "alter table audit_events enable trigger user",
      events,
      "analyze",
    ];
    for (const statement of statements) await runOn(url, statement);
    return;
  }
  const database = new DatabaseSync(url.replace("sqlite:", ""));
  for (const statement of rows) database.exec(statement);
  database.close();
}

/** An agent at work, and the traces that it leaves. */
interface Culprit {
  readonly userId: string;
  readonly agentRuntimeId: string;
  readonly taskId: string;
  /** What its program calls the thread. */
  readonly label: string;
  readonly header: string;
  /** The path of its request, and when it was made, as an upstream's log has them. */
  readonly path: string;
  readonly time: string;
  /** The lines of the gateway's audit file. */
  readonly audit: readonly string[];
}

// As `grep` finds it; the two clocks are not the same to the second.
function byTimeAndPath({ audit, path, time }: Culprit): string | undefined {
  const isNear = (line: string) => {
    const entry = JSON.parse(line);
    return entry.path === path && Math.abs(Date.parse(entry.time) - Date.parse(time)) < 60_000;
  };
  return audit.find(isNear);
}

/** What is known, by the kind of thing that is then stopped, and how it is taken from the traces. */
const CLUES: readonly (readonly [
  known: string,
  kind: "task" | "agent" | "user",
  clue: (culprit: Culprit) => string | undefined,
])[] = [
  [
    "a line of the gateway's audit file",
    "task",
    ({ audit, taskId }) => audit.find((line) => line.includes(taskId)),
  ],
  ["time and path in an upstream's log", "task", byTimeAndPath],
  ["a header", "task", ({ header }) => `Authorization: ${header}`],
  ["the beginning of a task's id", "task", ({ taskId }) => taskId.slice(0, 24)],
  ["a thread label", "task", ({ label }) => label],
  ["the beginning of a thread label", "task", ({ label }) => label.slice(0, -1)],
  ["an agent's id", "agent", ({ agentRuntimeId }) => agentRuntimeId],
  ["an address", "agent", () => "127.0.0.1"],
  ["a user's name", "user", ({ userId }) => userId],
];

const ID_OF = { task: "task_id", agent: "agent_runtime_id", user: "user_id" } as const;

class Registry {
  readonly world: ServerWorld;
  readonly #database: readonly string[];
  readonly #audit: string;
  readonly #urls: { readonly authority: string; readonly gateway: string };

  private constructor(
    world: ServerWorld,
    database: readonly string[],
    audit: string,
    urls: { readonly authority: string; readonly gateway: string },
  ) {
    this.world = world;
    this.#database = database;
    this.#audit = audit;
    this.#urls = urls;
  }

  static async start(url: (world: ServerWorld) => string): Promise<Registry> {
    const world = await serverWorld();
    const database = url(world);
    await seed(database);
    const on = ["--database", database];
    const listen = ["--listen", "127.0.0.1:0"];
    const authority = await world.start(["authority", "serve", ...listen, ...on]);
    const audit = join(world.folder.path, "audit.jsonl");
    const gateway = await world.start([
      ...["gateway", "--upstream", world.upstream.url, "--audit", audit, ...listen, ...on],
    ]);
    return new Registry(world, on, audit, { authority: authority.url, gateway: gateway.url });
  }

  async culprit(number: number): Promise<Culprit> {
    const { home, folder } = this.world;
    const { authority, gateway } = this.#urls;
    const userId = `person-${number}`;
    const created = await json(
      ["authority", "token", "create", "--account", "acct-0", "--user", userId, ...this.#database],
      { home },
    );
    const agent = connectAgent({
      ...{ authority, accessToken: created.token, origins: [gateway] },
      home: join(folder.path, userId),
    });
    onTestFinished(() => agent.close());
    const label = `Refactor billing ${number}/`;
    const thread = agent.thread("thread-1", { label });
    const path = `/v1/responses/${number}`;
    expect((await thread.fetch(`${gateway}${path}`)).status).toBe(200);
    const credential = await thread.credentials.credential();
    if (credential.kind !== "agent") return expect.unreachable();
    const { agentRuntimeId, taskId } = credential;
    const audit = await this.#auditAbout(path);
    const header = await headerAsync(new AssertionSigner(), credential);
    return {
      ...{ userId, agentRuntimeId, taskId, label, header, path, audit },
      time: new Date().toISOString(),
    };
  }

  // A line is written once its request has ended, which may be after its client has the answer.
  async #auditAbout(path: string): Promise<string[]> {
    const text = () => readFile(this.#audit, "utf8");
    await expect.poll(text).toContain(`"path":"${path}"`);
    return (await text()).trimEnd().split("\n");
  }

  /** The status of a request with an assertion that was made before. */
  async statusOf({ header }: Culprit): Promise<number> {
    const headers = { authorization: header };
    return (await fetch(`${this.#urls.gateway}/v1/again`, { headers })).status;
  }

  /** Ends the agents of one of the many users that were not used for 30 days. @returns how many */
  async stopUnused(userId: string): Promise<number> {
    const many = ["--user", userId, "--unused-since", "30d"];
    const { home } = this.world;
    const stopped = await json(["authority", "agents", "revoke", ...many, ...this.#database], {
      home,
    });
    return stopped.length;
  }

  /** Finds what a clue is about, and runs the first of the commands that it prints. */
  async findAndStop(clue: string, kind: keyof typeof ID_OF, culprit: Culprit): Promise<void> {
    const { home } = this.world;
    const id = { task: culprit.taskId, agent: culprit.agentRuntimeId, user: culprit.userId }[kind];
    const found = await json(["authority", "find", "-", ...this.#database], { home, input: clue });
    const match = found.matches.find(
      (each: Record<string, unknown>) => each.kind === kind && each[ID_OF[kind]] === id,
    );
    expect(match).toMatchObject({ kind, [ID_OF[kind]]: id });
    const [name, ...words] = String(match.stop[0].command).split(" ");
    expect(name).toBe("countersign");
    await output(words, { home });
  }
}

const isThere = await postgresAnswers();

describe.each([
  ["SQLite", true],
  ["PostgreSQL", isThere],
])("with %s", (database, canRun) => {
  test.runIf(canRun)(
    "from each thing that is known it is two commands until a request is refused, beside many other agents",
    async () => {
      const postgres = database === "SQLite" ? undefined : await createDatabase();
      const registry = await Registry.start(
        ({ folder }) => postgres ?? `sqlite:${join(folder.path, "many.db")}`,
      );
      for (const [number, [known, kind, clueOf]] of CLUES.entries()) {
        const culprit = await registry.culprit(number);
        expect(await registry.statusOf(culprit), known).toBe(200);
        const began = performance.now();
        await registry.findAndStop(clueOf(culprit) ?? expect.fail(known), kind, culprit);
        expect(await registry.statusOf(culprit), known).toBe(401);
        const ms = Math.round(performance.now() - began);
        console.log(
          `${database}, ${AGENTS} agents with ${TASKS_OF_AGENT} tasks each: ${known} → ${kind} stopped: ${ms} ms`,
        );
      }
      const began = performance.now();
      expect(await registry.stopUnused("user-0")).toBe(10);
      const ms = Math.round(performance.now() - began);
      console.log(
        `${database}, ${AGENTS} agents with ${TASKS_OF_AGENT} tasks each: unused for 30 days → 10 agents stopped: ${ms} ms`,
      );
    },
    SEED_MS,
  );
});
