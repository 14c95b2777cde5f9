import { withAssertion } from "@countersign/agent-assertion/fetch";
import { startTestUpstream, type UpstreamAnswer } from "@countersign/testing";
import { describe, expect, onTestFinished, test } from "vitest";
import { startFaultAgent } from "./fault-agent.js";
import { startFaultGateway } from "./fault-gateway.js";
import { gate } from "./gate.js";
import { type RealAuthority, startRealAuthority } from "./real-authority.js";

type Handler = NonNullable<Parameters<typeof startFaultGateway>[0]["handler"]>;

async function startWorld(handler?: Handler, recheckMs?: number) {
  const authority = await startRealAuthority();
  const gateway = await startFaultGateway({
    authority: authority.url,
    token: await authority.token("resource_server"),
    ...(handler === undefined ? {} : { handler }),
    gateway: { recheckMs },
  });
  const agent = startFaultAgent({ authority: authority.url, accessToken: await authority.token() });
  const thread = agent.tasks.thread("thread-1");
  return { authority, gateway, agent, thread, turn: agent.turns(thread, gateway.url) };
}

async function revokeTheTask(authority: RealAuthority): Promise<string> {
  const [task, ...others] = (await authority.registry.listTasks()).filter(
    ({ state }) => state === "active",
  );
  if (task === undefined || others.length > 0) return expect.unreachable("not one live task");
  await authority.registry.revokeTask(task.taskId);
  return task.taskId;
}

/** Each was accepted once, and nothing else was. */
function expectEachOnce(accepted: readonly string[], ids: readonly string[]): void {
  expect([...accepted].sort()).toEqual([...ids].sort());
}

describe("a task that is revoked", () => {
  test("in the middle of a stream ends the stream, and the thread's next request goes on in a new task", async () => {
    const never = gate();
    async function* events() {
      yield "first";
      await never.opened;
    }
    const stream: UpstreamAnswer = { kind: "events", events: events() };
    const { authority, gateway, agent, thread, turn } = await startWorld(
      (request) => (request.url.endsWith("/stream") ? stream : { body: "done" }),
      10,
    );
    const { signer } = agent;
    const api = withAssertion(fetch, thread, { origins: [gateway.url], signer });
    const answer = await api(`${gateway.url}/v1/turns/stream`, { method: "POST", body: "x" });
    expect(answer.status).toBe(200);
    const reader = answer.body?.getReader() ?? expect.unreachable();
    expect(Buffer.from((await reader.read()).value ?? []).toString()).toBe("data: first\n\n");
    const cut = reader.read();
    const revoked = await revokeTheTask(authority);
    // It breaks off; it does not end as if it were whole.
    await expect(cut).rejects.toThrow();
    expect(await turn("next")).toEqual({ status: 200, text: "done" });
    never.open();
    expectEachOnce(gateway.accepted(), ["stream", "next"]);
    const [first, second] = gateway.acceptedTasks();
    expect(first).toBe(revoked);
    expect(second).not.toBe(revoked);
    expect(authority.count("register_agent")).toBe(1);
    expect(authority.count("register_task")).toBe(2);
  });

  test("while 200 requests are on their way costs one new task, and each request arrives once (G-I7)", async () => {
    const revoked = gate();
    let count = 0;
    const world = await startWorld(async () => {
      count += 1;
      // Some have arrived, some are at the gateway, some are on their way to it.
      if (count === 50) void revokeTheTask(world.authority).then(revoked.open);
      if (count >= 50) await revoked.opened;
      return { body: "done" };
    });
    const { authority, gateway, agent, turn } = world;
    await agent.tasks.ensure("thread-1");
    const ids = Array.from({ length: 200 }, (_, index) => `turn-${index}`);
    const early = ids.slice(0, 100).map((id) => turn(id));
    await revoked.opened;
    const late = ids.slice(100).map((id) => turn(id));
    const all = await Promise.all([...early, ...late]);
    expect(all.filter(({ status }) => status !== 200)).toEqual([]);
    expectEachOnce(gateway.accepted(), ids);
    expect(new Set(gateway.acceptedTasks()).size).toBe(2);
    expect(authority.count("register_agent")).toBe(1);
    expect(authority.count("register_task")).toBe(2);
  });

  test("while its requests are at work upstream has none of them sent there twice (G-I7)", async () => {
    const answered = gate();
    const { authority, gateway, agent, turn } = await startWorld(async (request) => {
      if (!request.url.endsWith("/next")) await answered.opened;
      return { body: "done" };
    }, 10);
    await agent.tasks.ensure("thread-1");
    const ids = Array.from({ length: 20 }, (_, index) => `turn-${index}`);
    const all = Promise.allSettled(ids.map((id) => turn(id)));
    await expect.poll(() => gateway.accepted().length).toBe(ids.length);
    await revokeTheTask(authority);
    // The gateway ends what is open. What became of a request that was accepted is not known: no answer that asks for it again may come.
    const ends = await all;
    answered.open();
    expect(ends.filter((end) => end.status === "fulfilled" && end.value.status === 200)).toEqual(
      [],
    );
    expect(await turn("next")).toMatchObject({ status: 200 });
    expectEachOnce(gateway.accepted(), [...ids, "next"]);
    expect(authority.count("register_task")).toBe(2);
  });
});

describe("100 requests that are refused together", () => {
  test("register one new task over fetch, and each is sent once more", async () => {
    const authority = await startRealAuthority();
    const accessToken = await authority.token();
    const agent = startFaultAgent({ authority: authority.url, accessToken });
    const all = gate();
    let arrived = 0;
    const server = await startTestUpstream(async () => {
      arrived += 1;
      if (arrived > 100) return { body: "done" };
      // None is answered before all have been sent with the first task.
      if (arrived === 100) all.open();
      await all.opened;
      return {
        status: 401,
        headers: { "www-authenticate": 'AgentAssertion error="task_revoked"' },
      };
    });
    onTestFinished(() => server.close());
    const turn = agent.turns(agent.tasks.thread("thread-1"), server.url);
    const ids = Array.from({ length: 100 }, (_, index) => `turn-${index}`);
    const answers = await Promise.all(ids.map((id) => turn(id)));
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
    expect(server.requests).toHaveLength(200);
    expectEachOnce(
      server.requests.slice(100).map(({ body }) => body),
      ids,
    );
    expect(authority.count("register_task")).toBe(2);
    expect(authority.count("register_agent")).toBe(1);
  });
});
