import { AgentKey } from "@countersign/agent-key";
import { CompiledQuery } from "kysely";
import { expect, it, onTestFinished } from "vitest";
import { createRegistry, openStore } from "../src/index.js";
import { remoteRegistry } from "../src/remote-registry.js";
import { seedRegistry } from "./bench/seed-registry.js";
import { expectRefusal } from "./expect-refusal.js";
import { scansOf, tapQueries } from "./query-plan.js";
import { TestedAuthority, taskBody, taskPath } from "./start-authority.js";
import { createTestDatabase } from "./test-database.js";

interface TestedAgent {
  readonly id: string;
  readonly key: AgentKey;
}

/** Registers a task with a label, or whatever else stands in its place. */
function register(
  tested: TestedAuthority,
  { id, key }: TestedAgent,
  label: unknown,
  headers: Record<string, string> = {},
) {
  const body = { ...taskBody(id, key, tested.clock.nowMs), thread_label: label };
  return tested.call("POST", taskPath(id), { headers, body });
}

async function labels(tested: TestedAuthority): Promise<(string | undefined)[]> {
  return (await tested.authority.registry.listTasks()).map(({ threadLabel }) => threadLabel);
}

it("is refused in another form, before anything about the agent is looked at", async () => {
  await using tested = await TestedAuthority.start();
  const agent = await tested.agent();
  for (const label of [
    "",
    " a",
    "a\nb",
    "a\0b",
    "a\u202eb",
    "a\ud800",
    "x".repeat(65),
    null,
    1,
    ["a"],
  ]) {
    expectRefusal(await register(tested, agent, label), 400, "invalid_request");
  }
  const unknown = { id: "agent-1", key: AgentKey.generate() };
  expectRefusal(await register(tested, unknown, ""), 400, "invalid_request");
  expect(await labels(tested)).toEqual([]);
});

it("is shown to operators with its task, and told to no verifier (G-A56)", async () => {
  await using tested = await TestedAuthority.start();
  const { registry } = tested.authority;
  const agent = await tested.agent();
  const label = "Refactor billing \u{1f600}";
  expect((await register(tested, agent, label)).status).toBe(200);
  await tested.registerTask(agent.id, agent.key);
  expect(await labels(tested)).toEqual([label, undefined]);
  const [task] = await registry.listTasks();
  const taskId = task?.taskId ?? expect.unreachable();
  expect(await registry.getTask(taskId)).toMatchObject({ threadLabel: label });
  const headers = { authorization: `Bearer ${await tested.token("resource_server")}` };
  const seen = await tested.call("GET", `/v1/agent/${agent.id}/task/${taskId}`, { headers });
  expect(seen.status).toBe(200);
  expect(seen.text).not.toContain("Refactor");
  expect(await registry.revokeTask(taskId)).toMatchObject({ threadLabel: label });
});

it("stays as the registration that made the task had it, whatever a repetition says", async () => {
  await using tested = await TestedAuthority.start();
  const agent = await tested.agent();
  const headers = { "idempotency-key": "thread-key" };
  for (const label of ["first", "second", undefined]) {
    expect((await register(tested, agent, label, headers)).status).toBe(200);
  }
  expect(await labels(tested)).toEqual(["first"]);
  const [task] = await tested.authority.registry.listTasks();
  await tested.authority.registry.revokeTask(task?.taskId ?? "");
  await register(tested, agent, "second", headers);
  expect(await labels(tested)).toEqual(["first", "second"]);
});

it("finds its tasks by the whole of it and by its beginning: the whole label first, of each the newest", async () => {
  await using tested = await TestedAuthority.start();
  const { registry } = tested.authority;
  const agent = await tested.agent();
  for (const label of ["Nightly build", "Nightly", "Nightlz", "nightly", "Nightly", undefined]) {
    await register(tested, agent, label);
  }
  const tasks = await registry.listTasks();
  const ids = async (text: string, limit = 10) =>
    (await registry.find(text, { limit })).tasks.map(({ taskId }) =>
      tasks.findIndex((task) => task.taskId === taskId),
    );
  expect(await ids("Nightly")).toEqual([4, 1, 0]);
  expect(await ids("Nightly ")).toEqual([0]);
  expect(await ids("Nightl")).toEqual([4, 1, 0, 2]);
  expect(await ids("Nightly", 1)).toEqual([4]);
  expect(await registry.find("Nightly", { limit: 1 })).toMatchObject({ more: true });
  for (const text of ["%", "Nightly build 2", "ightly", "_ightly"])
    expect(await ids(text)).toEqual([]);
  expect(await registry.find("Nightly", { among: "events" })).toMatchObject({ tasks: [] });
  const token = await tested.token("read", "read", "ops");
  const remote = remoteRegistry({ url: await tested.adminUrl(), token });
  expect(await remote.find("Nightly")).toStrictEqual(await registry.find("Nightly"));
});

it("never comes before what has that id, and shows a task once (G-A56)", async () => {
  await using tested = await TestedAuthority.start();
  const { registry } = tested.authority;
  const victim = await tested.agent("user-1");
  await tested.registerTask(victim.id, victim.key);
  const taskId = (await registry.listTasks())[0]?.taskId ?? expect.unreachable();
  const other = await tested.agent("user-2");
  for (let count = 0; count < 3; count += 1) await register(tested, other, taskId);
  const { tasks } = await registry.find(taskId, { limit: 2 });
  expect(tasks.map(({ userId }) => userId)).toEqual(["user-1", "user-2"]);
  await register(tested, other, "task_");
  const found = (await registry.find("task_")).tasks.map((task) => task.taskId);
  expect(new Set(found).size).toBe(found.length);
  expect(found).toHaveLength(5);
});

it("finds for a token that is limited to accounts the tasks of these alone", async () => {
  await using tested = await TestedAuthority.start();
  const { registry } = tested.authority;
  for (const account of ["acct-1", "acct-2"]) {
    const key = AgentKey.generate();
    const human = await tested.token("human", "user-1", account);
    const { body } = await tested.registerAgent(human, key);
    await register(tested, { id: body.agent_runtime_id, key }, "Nightly build");
  }
  expect((await registry.find("Nightly")).tasks).toHaveLength(2);
  const { token } = await registry.createAccessToken({
    ...{ accountId: "ops", userId: "ops", role: "read", ttlSeconds: 60 },
    accounts: ["acct-2"],
  });
  const remote = remoteRegistry({ url: await tested.adminUrl(), token });
  for (const text of ["Nightly build", "N"]) {
    expect((await remote.find(text)).tasks).toMatchObject([{ accountId: "acct-2" }]);
  }
});

it("finds them by its index, in its order, among many with the same beginning", async () => {
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  await using store = await openStore(database.url);
  await seedRegistry(store, 300, 1);
  const queries = tapQueries(store, database.url);
  const { tasks } = await createRegistry(store).find("thread-1");
  expect(tasks).toHaveLength(10);
  const asked = [...queries().values()].filter(({ sql: text }) =>
    /where .*"thread_label" >=/.test(text),
  );
  expect(asked).toHaveLength(1);
  for (const query of asked) {
    expect(await scansOf(store, query)).toEqual([]);
    const explain = store.kind === "sqlite" ? "explain query plan" : "explain";
    const { rows } = await store.rows.executeQuery(
      CompiledQuery.raw(`${explain} ${query.sql}`, [...query.parameters]),
    );
    const plan = JSON.stringify(rows);
    expect(plan).toContain("tasks_thread_label");
    expect(plan).not.toMatch(/TEMP B-TREE|Sort/);
  }
});
