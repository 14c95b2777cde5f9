import { headerOf, startTestUpstream } from "@countersign/testing";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { callerOf, startWorld } from "./world.js";

const KEYS = ["x-api-key", "api-key", "x-goog-api-key"];

test("a turn's request reaches the API with one assertion and no other credential", async () => {
  const world = await startWorld();
  const emitWarning = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  onTestFinished(() => emitWarning.mockRestore());
  const { run, fetch } = world.connect().thread("thread-1");
  const headers = { authorization: "Bearer own", "x-api-key": "own", "x-own": "1" };
  const turn = await run(async ({ task }) => ({
    taskId: task?.taskId,
    caller: await callerOf(fetch(`${world.api.url}/v1/hello`, { method: "POST", headers })),
  }));
  const [agent] = world.authority.agents;
  expect(turn.caller).toMatchObject({
    agentRuntimeId: agent?.agentRuntimeId,
    taskId: turn.taskId,
    accountId: "acct-1",
    userId: "user-1",
  });
  const [request, ...others] = world.api.requests;
  expect(others).toEqual([]);
  expect(request?.headers.authorization).toMatch(/^AgentAssertion [^ ,]+$/);
  expect(request?.headers["x-own"]).toBe("1");
  expect(Object.keys(request?.headers ?? {})).not.toEqual(
    expect.arrayContaining([expect.stringMatching(`^(${KEYS.join("|")})$`)]),
  );
  expect(JSON.stringify(world.api.requests)).not.toContain(world.accessToken);
});

test("the first turn asks the authority who the human is, and for agent and task; the next ones for nothing", async () => {
  const world = await startWorld();
  const thread = world.connect().thread("thread-1");
  await thread.run(() => callerOf(thread.fetch(world.api.url)));
  const own = () => world.authority.requests.filter(({ step }) => step !== "directory");
  expect(own().map(({ step }) => step)).toEqual(["whoami", "register_agent", "register_task"]);
  for (const _ of [1, 2]) await thread.run(() => callerOf(thread.fetch(world.api.url)));
  expect(own()).toHaveLength(3);
});

test("many first turns at once register one agent, and one task for each thread", async () => {
  const world = await startWorld();
  const agent = world.connect();
  const ids = Array.from({ length: 30 }, (_, index) => `thread-${index % 3}`);
  const callers = await Promise.all(
    ids.map((id) => callerOf(agent.thread(id).fetch(world.api.url))),
  );
  expect(new Set(callers.map(({ taskId }) => taskId)).size).toBe(3);
  expect(world.authority.counts).toMatchObject({ whoami: 1, registerAgent: 1, registerTask: 3 });
});

test("two threads are two tasks of one agent, and two handles of one thread the same", async () => {
  const world = await startWorld();
  const agent = world.connect();
  const callers = [];
  for (const id of ["thread-1", "thread-2", "thread-1"]) {
    const thread = agent.thread(id);
    expect(thread.id).toBe(id);
    callers.push(await thread.run(() => callerOf(thread.fetch(world.api.url))));
  }
  const [first, second, third] = callers;
  expect(first).toEqual(third);
  expect(first?.taskId).not.toBe(second?.taskId);
  expect(first?.agentRuntimeId).toBe(second?.agentRuntimeId);
});

describe("another origin gets no assertion", () => {
  async function setUp() {
    const world = await startWorld();
    const other = await startTestUpstream();
    onTestFinished(() => other.close());
    const emitWarning = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    onTestFinished(() => emitWarning.mockRestore());
    return { world, other, agent: world.connect(), emitWarning };
  }

  test("when it is asked itself, with one warning whatever the number of threads", async () => {
    const { other, agent, emitWarning } = await setUp();
    for (const id of ["thread-1", "thread-2", "thread-1"]) {
      await agent.thread(id).fetch(`${other.url}/path`, { headers: { "x-own": "1" } });
    }
    expect(other.requests).toHaveLength(3);
    for (const request of other.requests) {
      expect(headerOf(request, "authorization")).toBeUndefined();
      expect(headerOf(request, "x-own")).toBe("1");
    }
    expect(emitWarning.mock.calls).toEqual([
      [expect.stringContaining(other.url), { code: "COUNTERSIGN_UNNAMED_ORIGIN" }],
    ]);
  });

  test("when a redirect of the API leads there, nor the caller's own credential", async () => {
    const { world, other, agent } = await setUp();
    world.api.redirectTo = `${other.url}/landed`;
    const headers = { authorization: "Bearer own", "x-api-key": "own" };
    const answer = await agent.thread("thread-1").fetch(`${world.api.url}/elsewhere`, { headers });
    expect(answer.status).toBe(200);
    expect(world.api.requests[0]?.headers.authorization).toMatch(/^AgentAssertion /);
    const [landed, ...more] = other.requests;
    expect(more).toEqual([]);
    for (const name of ["authorization", ...KEYS]) {
      expect(landed && headerOf(landed, name), name).toBeUndefined();
    }
  });

  test("nor does the authority's token reach any API (G-H5)", async () => {
    const { world, other, agent } = await setUp();
    await agent.thread("thread-1").fetch(world.api.url);
    await agent.thread("thread-1").fetch(other.url);
    expect(JSON.stringify([world.api.requests, other.requests])).not.toContain(world.accessToken);
  });
});
