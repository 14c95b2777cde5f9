import { expect, it, onTestFinished } from "vitest";
import { createAuthorityMetrics, createRegistry, openStore } from "../src/index.js";
import { countLive } from "../src/store/count-live.js";
import { readStoreFigures } from "../src/store/store-figures.js";
import { seedRegistry } from "./bench/seed-registry.js";
import { scansOf, tapQueries } from "./query-plan.js";
import { TestedAuthority } from "./start-authority.js";
import { createTestDatabase } from "./test-database.js";

const PACE = { stepRows: 7, pauseMs: 0 };

async function openSeeded(agents: number, tasksOfAgent: number, now?: () => number) {
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  const store = await openStore(database.url, { now });
  onTestFinished(() => store.close());
  const seeded = agents === 0 ? [] : await seedRegistry(store, agents, agents, tasksOfAgent);
  return { database, store, seeded };
}

it("count the agents and tasks that live, whether or not a step ends with the last row", async () => {
  const { store, seeded } = await openSeeded(14, 3);
  expect(await countLive(store, "agents", PACE)).toBe(14);
  expect(await countLive(store, "tasks", PACE)).toBe(42);
  const [first, second] = seeded;
  const registry = createRegistry(store);
  await registry.revokeAgent(first?.id ?? "");
  await registry.revokeTask(second?.taskIds[0] ?? "");
  await store.rows
    .updateTable("agents")
    .set({ proven_at: null })
    .where("agent_runtime_id", "=", second?.id ?? "")
    .execute();
  expect(await countLive(store, "agents", PACE)).toBe(12);
  expect(await countLive(store, "tasks", PACE)).toBe(41);
});

it("count what has ended no more", async () => {
  const end = "2099-01-01T00:00:00Z";
  let nowMs = Date.parse(end) - 1;
  const { store } = await openSeeded(3, 5, () => nowMs);
  await store.rows.updateTable("tasks").set({ expires_at: end }).execute();
  expect(await countLive(store, "tasks", PACE)).toBe(15);
  nowMs += 1;
  expect(await countLive(store, "tasks", PACE)).toBe(0);
});

it("count nothing in an empty registry", async () => {
  const { store } = await openSeeded(0, 0);
  expect(await countLive(store, "agents", PACE)).toBe(0);
});

it("read some rows at a time, by an index", async () => {
  const { database, store } = await openSeeded(20, 1);
  const queries = tapQueries(store, database.url);
  await countLive(store, "agents", PACE);
  await countLive(store, "tasks", PACE);
  expect(queries().size).toBe(2);
  for (const query of queries().values()) {
    expect(query.sql).toContain("limit 7");
    const scans = await scansOf(store, query);
    expect(scans.filter((step) => step !== "SCAN step")).toEqual([]);
  }
});

it("are those that were read last, and are read no more often for being asked for", async () => {
  const { database, store } = await openSeeded(3, 2);
  const read = readStoreFigures(store, PACE);
  expect(read()).toEqual({});
  await expect.poll(read).toEqual({
    liveAgents: 3,
    liveTasks: 6,
    sizeBytes: expect.any(Number),
  });
  expect(read().sizeBytes).toBeGreaterThan(50_000);
  const queries = tapQueries(store, database.url);
  for (let asked = 0; asked < 100; asked += 1) read();
  await store.rows.selectFrom("agents").select("agent_runtime_id").execute();
  expect(queries().size).toBe(1);
});

it("keep their last values while the database cannot be used, and end with the store", async () => {
  const { store } = await openSeeded(30, 1);
  const read = readStoreFigures(store, { stepRows: 1, pauseMs: 60_000 });
  read();
  await expect.poll(() => read().sizeBytes).toBeGreaterThan(0);
  await store.close();
  expect(read().liveAgents).toBeUndefined();
  expect(readStoreFigures(store)()).toEqual({});
});

it("are shown by the authority", async () => {
  const metrics = createAuthorityMetrics();
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  await using tested = await TestedAuthority.start({ metrics, database: database.url });
  const { id, key } = await tested.agent();
  await tested.registerTask(id, key);
  await expect.poll(() => metrics.render()).toMatch(/^countersign_authority_live_tasks 1$/m);
  const text = await metrics.render();
  expect(text).toMatch(/^countersign_authority_live_agents 1$/m);
  expect(text).toMatch(/^countersign_authority_database_size_bytes [1-9]\d+$/m);
});
