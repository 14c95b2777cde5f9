import { TaskRegistrationError } from "@countersign/agent-task";
import { describe, expect, test } from "vitest";
import { startAuthorityProcess } from "./authority-process.js";
import { startFaultAgent } from "./fault-agent.js";
import { startFaultGateway } from "./fault-gateway.js";

/** An authority in a process of its own; a gateway and an agent whose clock the test moves on from the true time. */
async function startWorld() {
  const authority = await startAuthorityProcess();
  let passedMs = 0;
  const now = () => Date.now() + passedMs;
  const gateway = await startFaultGateway({
    authority: authority.url,
    token: await authority.token("resource_server"),
    directory: { revocationDelaySeconds: 15 },
    now,
  });
  const agent = startFaultAgent({
    authority: authority.url,
    accessToken: await authority.token(),
    now,
  });
  const { tasks } = agent;
  return {
    authority,
    gateway,
    tasks,
    turn: agent.turns(tasks.thread("thread-1"), gateway.url),
    turnOfAnother: agent.turns(tasks.thread("thread-2"), gateway.url),
    /** Lets time pass for the gateway and the agent. */
    pass: (ms: number) => {
      passedMs += ms;
    },
  };
}

function failure(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe("an authority that is killed and started again", () => {
  test("knows what it acknowledged: the thread goes on in its task, and a new one gets its own", async () => {
    const { authority, gateway, turn, turnOfAnother, pass } = await startWorld();
    expect(await turn("before")).toMatchObject({ status: 200 });
    await authority.kill();
    await authority.start();
    // The gateway must ask again.
    pass(16_000);
    expect(await turn("after")).toMatchObject({ status: 200 });
    expect(await turnOfAnother("another")).toMatchObject({ status: 200 });
    expect(gateway.accepted()).toEqual(["before", "after", "another"]);
    const [before, after, another] = gateway.acceptedTasks();
    expect(after).toBe(before);
    expect(another).not.toBe(before);
    expect(await authority.registered()).toEqual({ agents: 1, tasks: 2 });
  });
});

describe("an authority that is down for 20 seconds", () => {
  test("is not noticed by a thread that has its task; a new thread's turn fails, retryable, and succeeds afterwards", async () => {
    const { authority, gateway, turn, turnOfAnother, pass } = await startWorld();
    expect(await turn("before")).toMatchObject({ status: 200 });
    await authority.kill();
    for (let second = 1; second <= 20; second += 1) {
      pass(1000);
      expect(await turn(`down-${second}`)).toMatchObject({ status: 200 });
    }
    const error = await failure(turnOfAnother("another"));
    if (!TaskRegistrationError.is(error)) throw error;
    expect(error).toMatchObject({ code: "unreachable", retryable: true, scope: "thread-2" });
    // One thread's failed turn is no other thread's matter.
    expect(await turn("down-still")).toMatchObject({ status: 200 });
    expect(await authority.registered()).toEqual({ agents: 1, tasks: 1 });
    await authority.start();
    expect(await turnOfAnother("another")).toMatchObject({ status: 200 });
    expect(await turn("after")).toMatchObject({ status: 200 });
    const during = Array.from({ length: 20 }, (_, index) => `down-${index + 1}`);
    expect(gateway.accepted()).toEqual(["before", ...during, "down-still", "another", "after"]);
    expect(new Set(gateway.acceptedTasks()).size).toBe(2);
    expect(await authority.registered()).toEqual({ agents: 1, tasks: 2 });
  });

  test("and longer ends with 503, which costs no task, because the stale answers are too old", async () => {
    const { authority, gateway, turn, pass } = await startWorld();
    expect(await turn("before")).toMatchObject({ status: 200 });
    await authority.kill();
    pass(301_000);
    const { status, text } = await turn("refused");
    expect({ status, ...JSON.parse(text) }).toMatchObject({ status: 503, code: "server_error" });
    await authority.start();
    // As long as it was down, the gateway asks again at each request that it cannot answer otherwise.
    expect(await turn("after")).toMatchObject({ status: 200 });
    expect(gateway.accepted()).toEqual(["before", "after"]);
    expect(await authority.registered()).toEqual({ agents: 1, tasks: 1 });
  });
});
