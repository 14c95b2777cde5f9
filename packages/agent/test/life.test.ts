import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { TaskRegistrationError } from "@countersign/agent-task";
import { expectRejection } from "@countersign/testing/vitest";
import { describe, expect, test } from "vitest";
import { callerOf, startWorld, turn } from "./world.js";

describe("a program that is started again with the same home", () => {
  test("goes on as the same agent in the same task, without a request to the authority", async () => {
    const world = await startWorld();
    const first = world.connect();
    const before = await turn(world, first);
    await first.close();
    const counts = { ...world.authority.counts, directory: 0 };
    expect(await turn(world, world.connect())).toEqual(before);
    expect({ ...world.authority.counts, directory: 0 }).toEqual(counts);
  });

  test("needs no token that is still accepted, since the agent has a key of its own", async () => {
    const world = await startWorld();
    const before = await turn(world, world.connect());
    world.authority.removeHuman(world.accessToken);
    expect(await turn(world, world.connect())).toEqual(before);
  });

  test("keeps no token there, and nothing for other users of the machine (G-H5)", async () => {
    const world = await startWorld();
    await turn(world, world.connect());
    const files = await readdir(world.home, { recursive: true });
    expect(files.filter((file) => file.endsWith(".json")).toSorted()).toEqual([
      "credentials.json",
      "known-humans.json",
      expect.stringMatching(/^threads.[0-9a-f]{64}\.json$/),
    ]);
    for (const name of files.filter((file) => file.endsWith(".json"))) {
      expect((await stat(join(world.home, name))).mode & 0o077).toBe(0);
      expect(await readFile(join(world.home, name), "utf8")).not.toContain(world.accessToken);
    }
  });

  test("is a new agent where the home is there, and empty", async () => {
    const world = await startWorld();
    await mkdir(world.home);
    for (const _ of [1, 2]) await turn(world, world.connect());
    expect(world.authority.counts).toMatchObject({ whoami: 1, registerAgent: 1 });
  });

  test.each(["", "{", '{"version":1,"humans":[{}]}', '{"version":2,"humans":[]}'])(
    "asks again whose token it is where its note of that is %j",
    async (text) => {
      const world = await startWorld();
      const before = await turn(world, world.connect());
      await writeFile(join(world.home, "known-humans.json"), text);
      expect(await turn(world, world.connect())).toEqual(before);
      expect(world.authority.counts).toMatchObject({ whoami: 2, registerAgent: 1 });
      expect(await turn(world, world.connect())).toEqual(before);
      expect(world.authority.counts.whoami).toBe(2);
    },
  );
});

describe("a task that was revoked", () => {
  test("is replaced inside of the same turn, and the signal does not abort", async () => {
    const world = await startWorld();
    const agent = world.connect();
    const thread = agent.thread("thread-1");
    const before = await turn(world, agent);
    const { signal } = thread;
    const after = await thread.run(async (current) => {
      const inTurn = thread.signal;
      world.authority.revokeTask(before.taskId);
      const caller = await callerOf(thread.fetch(world.api.url, { method: "POST", body: "{}" }));
      expect(current.task?.taskId).toBe(caller.taskId);
      expect(inTurn.aborted).toBe(false);
      return caller;
    });
    expect(after.taskId).not.toBe(before.taskId);
    expect(after.agentRuntimeId).toBe(before.agentRuntimeId);
    expect(signal.aborted).toBe(false);
  });
});

describe("an agent that was revoked", () => {
  async function revoke() {
    const world = await startWorld();
    const agent = world.connect();
    const { signal } = agent.thread("thread-2");
    const { agentRuntimeId } = await turn(world, agent);
    const thread = agent.thread("thread-1");
    world.authority.revokeAgent(agentRuntimeId);
    const refused = expectRejection(
      thread.run(() => thread.fetch(world.api.url)),
      TaskRegistrationError,
      "agent_revoked",
    );
    return { world, agent, thread, signal, error: await refused };
  }

  test("is refused with agent_revoked and whom to ask, and never replaces itself", async () => {
    const { world, agent, error } = await revoke();
    expect(error.hint).toContain("operator");
    await expectRejection(turn(world, agent, "thread-3"), TaskRegistrationError, "agent_revoked");
    expect(world.authority.counts.registerAgent).toBe(1);
  });

  test("aborts the signal of every thread with that error, and so a request that was given it", async () => {
    const { world, agent, signal, error } = await revoke();
    expect(signal.aborted).toBe(true);
    expect(signal.reason).toBe(error);
    const thread = agent.thread("thread-1");
    await expect(thread.fetch(world.api.url, { signal })).rejects.toBe(error);
  });

  test("aborts a signal that is taken later when the authority refuses it again", async () => {
    const { world, agent } = await revoke();
    const { signal } = agent.thread("thread-1");
    expect(signal.aborted).toBe(false);
    const refused = turn(world, agent, "thread-3");
    const error = await expectRejection(refused, TaskRegistrationError, "agent_revoked");
    expect(signal.reason).toBe(error);
  });
});

describe("an agent that was revoked and restored goes on", () => {
  async function restored() {
    const world = await startWorld();
    const before = await turn(world, world.connect());
    const agent = world.connect();
    const revoked = async () => {
      const { signal } = agent.thread("thread-1");
      world.authority.revokeAgent(before.agentRuntimeId);
      await expectRejection(turn(world, agent, "thread-2"), TaskRegistrationError, "agent_revoked");
      expect(signal.aborted).toBe(true);
      world.authority.restoreAgent(before.agentRuntimeId);
    };
    const thread = agent.thread("thread-1");
    const withSignal = () => callerOf(thread.fetch(world.api.url, { signal: thread.signal }));
    return { world, agent, thread, before, revoked, withSignal };
  }

  test("in a thread that holds its task, whose turn takes the signal", async () => {
    const { world, agent, thread, before, revoked, withSignal } = await restored();
    await turn(world, agent);
    await revoked();
    expect(await thread.run(withSignal)).toEqual(before);
    expect(world.authority.counts.registerTask).toBe(2);
  });

  test("in a thread whose task is stored", async () => {
    const { world, thread, before, revoked, withSignal } = await restored();
    await revoked();
    expect(await thread.run(withSignal)).toEqual(before);
    expect(world.authority.counts.registerTask).toBe(2);
  });

  test("in a turn or a request whose wait is given the signal", async () => {
    const { thread, before, revoked, withSignal } = await restored();
    await revoked();
    expect(await withSignal()).toEqual(before);
    await revoked();
    expect(await thread.run(withSignal, { signal: thread.signal })).toEqual(before);
  });
});

test("a registration that fails for another reason does not abort the signal", async () => {
  const world = await startWorld();
  const agent = world.connect();
  await turn(world, agent);
  const { signal } = agent.thread("thread-2");
  world.authority.fault("register_task", { kind: "status", status: 403 });
  await expectRejection(turn(world, agent, "thread-2"), TaskRegistrationError, "forbidden");
  expect(signal.aborted).toBe(false);
});

describe("a caller that gives up", () => {
  const steps = ["whoami", "register_agent", "register_task"] as const;
  test.each(steps)(
    "while the authority hangs at %s gets the reason of its signal",
    async (step) => {
      const world = await startWorld();
      world.authority.fault(step, { kind: "hang" }, Number.POSITIVE_INFINITY);
      const thread = world.connect().thread("thread-1");
      const caller = new AbortController();
      const reason = new Error("given up");
      const turnInWait = thread.run(async () => expect.unreachable("begun"), {
        signal: caller.signal,
      });
      const requestInWait = thread.fetch(world.api.url, { signal: caller.signal });
      await expect
        .poll(() => world.authority.requests.filter((request) => request.step === step).length)
        .toBeGreaterThan(0);
      caller.abort(reason);
      await expect(turnInWait).rejects.toBe(reason);
      await expect(requestInWait).rejects.toBe(reason);
      expect(world.api.requests).toEqual([]);
    },
  );

  test("in the middle of a request gets it too", async () => {
    const world = await startWorld();
    const agent = world.connect();
    await turn(world, agent);
    world.api.until = new Promise(() => {});
    const caller = new AbortController();
    const asked = agent
      .thread("thread-1")
      .fetch(`${world.api.url}/slow`, { signal: caller.signal });
    await expect.poll(() => world.api.requests.length).toBe(2);
    const reason = new Error("given up");
    caller.abort(reason);
    await expect(asked).rejects.toBe(reason);
  });
});
