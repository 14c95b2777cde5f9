import { AgentKey } from "@countersign/agent-key";
import { expectRejection } from "@countersign/testing/vitest";
import { sql } from "kysely";
import { describe, expect, it, onTestFinished } from "vitest";
import { AgentAuthorityError, createRegistry, openStore, type Registry } from "../src/index.js";
import { seedRegistry } from "./bench/seed-registry.js";
import { expectRefusal } from "./expect-refusal.js";
import { scansOf, tapQueries } from "./query-plan.js";
import { NOON, openScratchStore, TestedAuthority } from "./start-authority.js";
import { createTestDatabase } from "./test-database.js";

const HOUR = 3_600_000;
const ADDRESS = "203.0.113.9";
const [AT_NOON, AT_ONE, AT_TWO] = ["12", "13", "14"].map((hour) => `2026-04-15T${hour}:00:00Z`);

/** Four agents of an hour each, of which one and two were used at two o'clock, and three at three: two before one. */
async function setUp() {
  const tested = await TestedAuthority.start({ trustedProxies: ["127.0.0.1"] });
  onTestFinished(() => tested[Symbol.asyncDispose]());
  const { registry } = tested.authority;
  const ids: string[] = [];
  const tasks: string[] = [];
  for (const [index, user] of ["user-1", "user-1", "user-2", "user-2"].entries()) {
    const token = await tested.token("human", user);
    const key = AgentKey.generate();
    const address = index === 3 ? ADDRESS : "203.0.113.1";
    const headers = { "x-forwarded-for": address };
    const { body } = await tested.call("POST", "/v1/agent/register", {
      headers: { ...headers, authorization: `Bearer ${token}` },
      body: {
        abom: { agent_version: "1", agent_harness_id: "x", running_location: "x" },
        agent_public_key: key.publicKey.line,
        capabilities: [],
      },
    });
    ids.push(body.agent_runtime_id);
    await tested.registerTask(body.agent_runtime_id, key, headers);
    const [task] = await registry.listTasks({ agentRuntimeId: body.agent_runtime_id });
    tasks.push(task?.taskId ?? "");
    if (index < 3) tested.clock.nowMs += HOUR;
  }
  const use = (index: number, secondsAgo: number) => ({
    agent_runtime_id: ids[index],
    task_id: tasks[index],
    seconds_ago: secondsAgo,
  });
  const uses = [use(0, 3_600), use(1, 3_601), use(2, 0)];
  const headers = { authorization: `Bearer ${await tested.token("resource_server")}` };
  const report = await tested.call("POST", "/v1/assertion/uses", { headers, body: { uses } });
  expect(report.status, report.text).toBe(200);
  const agents = async (filter: Parameters<Registry["listAgents"]>[0]) =>
    (await registry.listAgents(filter)).map(({ agentRuntimeId }) => ids.indexOf(agentRuntimeId));
  const listTasks = async (filter: Parameters<Registry["listTasks"]>[0]) =>
    (await registry.listTasks(filter)).map(({ taskId }) => tasks.indexOf(taskId));
  return { tested, registry, agents, tasks: listTasks, ids };
}

describe("a list of agents or tasks", () => {
  it("is refused with a filter that is not one", async () => {
    await using tested = await TestedAuthority.start();
    const headers = { authorization: `Bearer ${await tested.token("read")}` };
    for (const query of [
      "unused_since=30d",
      "used_since=2026-04-15",
      "created_since=x",
      "address=a%20b",
      "sort=newest,used",
      "sort=used&after=agent_1",
      "sort=newest&after=2026-04-15T12:00:00Z,agent_1",
      "unused=1",
    ]) {
      for (const list of ["agents", "tasks"]) {
        const answer = await tested.callAdmin("GET", `/v1/admin/${list}?${query}`, { headers });
        expectRefusal(answer, 400, "invalid_request");
      }
    }
    const { registry } = tested.authority;
    const wrong = registry.listAgents({ sort: "used", after: "agent_1" });
    await expectRejection(wrong, AgentAuthorityError, "invalid_request");
  });

  it("is narrowed by age, use and address, and all of it must hold", async () => {
    const { registry, agents, tasks, ids } = await setUp();
    for (const list of [agents, tasks]) {
      expect(await list({ createdSince: AT_TWO })).toEqual([2, 3]);
      expect(await list({ usedSince: AT_TWO })).toEqual([0, 2]);
      expect(await list({ unusedSince: AT_TWO })).toEqual([1]);
      // What was never used counts from its registration on.
      expect(await list({ unusedSince: "2026-04-15T15:00:01Z" })).toEqual([0, 1, 2, 3]);
      expect(await list({ unusedSince: AT_ONE })).toEqual([]);
      expect(await list({ address: ADDRESS })).toEqual([3]);
      expect(await list({ address: "203.0.113.200" })).toEqual([]);
      expect(await list({ userId: "user-1", usedSince: AT_TWO })).toEqual([0]);
      expect(await list({ userId: "user-1", address: ADDRESS })).toEqual([]);
      expect(
        await list({ accountId: "acct-1", createdSince: AT_NOON, unusedSince: AT_TWO }),
      ).toEqual([1]);
    }
    expect((await registry.getAgent(ids[3] ?? ""))?.address).toBe(ADDRESS);
    await registry.revokeAgent(ids[0] ?? "");
    for (const list of [agents, tasks]) {
      expect(await list({ usedSince: AT_TWO, state: "active" })).toEqual([2]);
      expect(await list({ usedSince: AT_TWO, state: "revoked" })).toEqual([0]);
    }
  });

  it("begins with the newest or the last used one, page by page, and leaves out what was not used", async () => {
    const { tested, agents, tasks } = await setUp();
    for (const list of [agents, tasks]) {
      expect(await list({ sort: "newest" })).toEqual([3, 2, 1, 0]);
      expect(await list({ sort: "newest", limit: 2, userId: "user-1" })).toEqual([1, 0]);
      expect(await list({ sort: "used" })).toEqual([2, 0, 1]);
      expect(await list({ sort: "used", userId: "user-1" })).toEqual([0, 1]);
      expect(await list({ sort: "used", unusedSince: AT_TWO })).toEqual([1]);
    }
    const headers = { authorization: `Bearer ${await tested.token("read")}` };
    for (const list of ["agents", "tasks"]) {
      // A page of what few have is made in another way than one of all.
      const few = `created_since=${AT_NOON}`;
      const orders = ["", "sort=newest", "sort=used", "sort=used&account_id=acct-1"];
      for (const query of [...orders, few, `sort=newest&${few}`, `sort=used&${few}`]) {
        const read = async (after: string, limit: number) => {
          const path = `/v1/admin/${list}?limit=${limit}&${query}${after}`;
          return (await tested.callAdmin("GET", path, { headers })).body;
        };
        const whole = (await read("", 100))[list];
        const paged: unknown[] = [];
        let after = "";
        for (;;) {
          const page = await read(after, 1);
          paged.push(...page[list]);
          if (page.next === undefined) break;
          after = `&after=${encodeURIComponent(page.next)}`;
        }
        expect(paged).toEqual(whole);
      }
    }
  });

  it("puts the later one of two that were used in the same second first", async () => {
    const { tested, agents, tasks, ids } = await setUp();
    const headers = { authorization: `Bearer ${await tested.token("resource_server")}` };
    const uses = [3, 1].map((index) => ({ agent_runtime_id: ids[index], seconds_ago: 3_600 }));
    await tested.call("POST", "/v1/assertion/uses", { headers, body: { uses } });
    expect(await agents({ sort: "used" })).toEqual([2, 3, 1, 0]);
    expect(await agents({ sort: "used", createdSince: AT_NOON })).toEqual([2, 3, 1, 0]);
    expect(await tasks({ sort: "used", createdSince: AT_NOON })).toEqual([2, 0, 1]);
  });

  it("is the same where no filter leaves few", async () => {
    await using store = await openScratchStore({ now: () => NOON });
    // 11,000 tasks, of which every second one was used.
    await seedRegistry(store, 110, 0);
    const { rows } = store;
    await sql`update tasks set address = ${ADDRESS}`.execute(rows);
    await sql`insert into task_uses (task_id, first_used_at, used_at, reported_by)
      select task_id, ${AT_NOON}, ${AT_NOON}, 'x' from tasks where agent_runtime_id < (select agent_runtime_id from agents order by agent_runtime_id limit 1 offset 105)`.execute(
      rows,
    );
    const registry = createRegistry(store);
    const all = (await registry.listTasks({ limit: 10_000 })).map(({ taskId }) => taskId);
    const many = { address: ADDRESS, createdSince: "2025-01-01T00:00:00Z", limit: 10_000 };
    const listed = async (filter: Parameters<Registry["listTasks"]>[0]) =>
      (await registry.listTasks(filter)).map(({ taskId }) => taskId);
    expect(await listed(many)).toEqual(all);
    const newest = await listed({ ...many, sort: "newest", limit: 3 });
    const unused = await listed({
      ...many,
      unusedSince: AT_TWO,
      usedSince: AT_NOON,
      sort: "newest",
    });
    expect(newest).toHaveLength(3);
    expect(unused).toHaveLength(10_000);
    const used = await listed({ ...many, sort: "used", usedSince: AT_NOON });
    expect(used).toEqual(unused);
    expect(await listed({ ...many, createdSince: AT_NOON })).toEqual([]);
  });
});

it("every query of a list finds its rows by an index", async () => {
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  {
    await using store = await openStore(database.url);
    await seedRegistry(store, 3_000, 0, 10);
  }
  await using store = await openStore(database.url, { now: () => NOON });
  const queries = tapQueries(store, database.url);
  const registry = createRegistry(store);
  const filters = [
    {},
    { accountId: "acct-0" },
    { userId: "user-1" },
    { accountId: "acct-0", userId: "user-1" },
    { address: ADDRESS },
    { createdSince: AT_NOON },
    { createdSince: "2020-01-01T00:00:00Z" },
    { usedSince: AT_NOON },
    { unusedSince: AT_NOON },
    { state: "revoked" as const },
  ];
  for (const sort of ["oldest", "newest", "used"] as const) {
    for (const filter of filters) {
      await registry.listAgents({ ...filter, sort, limit: 10 });
      await registry.listTasks({ ...filter, sort, limit: 10 });
    }
  }
  await registry.listTasks({ agentRuntimeId: "agent_x" });
  await registry.listAgents({ sort: "used", after: `${AT_NOON},agent_x` });
  const scans: string[] = [];
  for (const query of queries().values()) {
    for (const step of await scansOf(store, query)) scans.push(`${step}: ${query.sql}`);
  }
  expect(scans).toEqual([]);
  expect(queries().size).toBeGreaterThan(10);
});
