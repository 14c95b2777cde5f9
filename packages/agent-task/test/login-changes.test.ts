import { fileStore, loginAuth, removeLogin, saveLogin } from "@countersign/agent-identity";
import { type AuthorityStep, temporaryDirectory } from "@countersign/testing";
import { expectRejection } from "@countersign/testing/vitest";
import { describe, expect, it, onTestFinished } from "vitest";
import { AgentTaskError } from "../src/agent-task-error.js";
import { fileTaskStore } from "../src/store/file-task-store.js";
import { refusal, startWorld, type World } from "./world.js";

type Moment = "before" | "after" | `while request ${1 | 2 | 3 | 4} is on its way`;

// What a cold thread sends with a biscuit, in this order.
const STEPS: readonly (readonly [Moment, AuthorityStep])[] = [
  ["while request 1 is on its way", "biscuit"],
  ["while request 2 is on its way", "register_agent"],
  ["while request 3 is on its way", "biscuit"],
  ["while request 4 is on its way", "register_task"],
];
const MOMENTS: readonly Moment[] = ["before", ...STEPS.map(([moment]) => moment), "after"];

/** Calls `change` once at a moment of the turn, and gives what the turn gave. */
async function turnWith(
  world: World,
  moment: Moment,
  change: () => unknown,
  take: () => Promise<unknown>,
) {
  if (moment === "before") change();
  const index = STEPS.findIndex(([name]) => name === moment);
  const step = STEPS[index]?.[1];
  if (step !== undefined) {
    // Answered normally once the change has happened: a late answer.
    let ofStep = STEPS.slice(0, index).filter(([, name]) => name === step).length;
    const until = Promise.resolve();
    for (; ofStep > 0; ofStep -= 1) world.authority.fault(step, { kind: "hold", until });
    const changed = expect
      .poll(() => world.sentSoFar(), { interval: 1 })
      .toBe(index + 1)
      .then(change);
    world.authority.fault(step, { kind: "hold", until: changed });
  }
  const result = await take();
  if (moment === "after") change();
  return result;
}

function accountOf(world: World, agentRuntimeId: string | undefined): string | undefined {
  return world.authority.agents.find((agent) => agent.agentRuntimeId === agentRuntimeId)?.accountId;
}

/** Each task was requested with the key and biscuit of its own agent: the authority refused nothing. */
function expectNothingMixed(world: World): void {
  expect(world.authority.counts.registerTask).toBe(world.authority.tasks.length);
  for (const task of world.authority.tasks) {
    expect(accountOf(world, task.agentRuntimeId)).toBeDefined();
  }
}

describe("a switch of accounts", () => {
  for (const moment of MOMENTS) {
    it(`${moment}: the turn is done as who is at work then`, async () => {
      const world = await startWorld({ proof: "biscuit" });
      const second = world.login("acct-2");
      const tasks = world.tasks();
      const thread = tasks.thread("thread-1");
      await turnWith(
        world,
        moment,
        () => world.auth.set(second),
        () => thread.ensure(),
      );
      const { task } = await thread.run(async (turn) => turn);
      expect(accountOf(world, task?.agentRuntimeId)).toBe("acct-2");
      expect((await tasks.peek("thread-1"))?.taskId).toBe(task?.taskId);
      world.auth.set(world.human);
      expect(accountOf(world, (await thread.ensure())?.agentRuntimeId)).toBe("acct-1");
      expect(world.authority.agents).toHaveLength(2);
      expectNothingMixed(world);
    });

    it(`${moment}, and back: registers two agents at most, one task each`, async () => {
      const world = await startWorld({ proof: "biscuit" });
      const second = world.login("acct-2");
      const thread = world.tasks().thread("thread-1");
      const there = async () => {
        world.auth.set(second);
        await thread.ensure();
        world.auth.set(world.human);
      };
      let back = Promise.resolve();
      await turnWith(
        world,
        moment,
        () => {
          back = there();
        },
        () => thread.ensure(),
      );
      await back;
      expect(accountOf(world, (await thread.ensure())?.agentRuntimeId)).toBe("acct-1");
      const accounts = world.authority.agents.map(({ accountId }) => accountId);
      expect(new Set(accounts).size).toBe(accounts.length);
      const owners = world.authority.tasks.map(({ agentRuntimeId }) => agentRuntimeId);
      expect(new Set(owners).size).toBe(owners.length);
      expectNothingMixed(world);
    });
  }
});

describe("a login as another user of the same account", () => {
  for (const moment of MOMENTS) {
    it(`${moment}: never gets the first one's task`, async () => {
      const world = await startWorld({ proof: "biscuit" });
      const second = world.login("acct-1", "user-2");
      const thread = world.tasks().thread("thread-1");
      await turnWith(
        world,
        moment,
        () => world.auth.set(second),
        () => thread.ensure(),
      );
      const task = await thread.ensure();
      const agent = world.authority.agents.find(
        ({ agentRuntimeId }) => agentRuntimeId === task?.agentRuntimeId,
      );
      expect(agent?.userId).toBe("user-2");
      expectNothingMixed(world);
    });
  }
});

describe("a login again with a new token", () => {
  for (const moment of MOMENTS) {
    it(`${moment}: goes on with the same agent, although the old token is refused`, async () => {
      const world = await startWorld({ proof: "biscuit" });
      const renewed = world.login("acct-1");
      const thread = world.tasks().thread("thread-1");
      const change = () => {
        world.authority.removeHuman(world.human.accessToken);
        world.auth.set(renewed);
      };
      await turnWith(world, moment, change, () => thread.ensure());
      expect(accountOf(world, (await thread.ensure())?.agentRuntimeId)).toBe("acct-1");
      expect(world.authority.agents).toHaveLength(1);
      expect(world.authority.tasks).toHaveLength(1);
    });
  }
});

describe("a logout", () => {
  for (const moment of MOMENTS) {
    it(`${moment}: leaves nothing to use, and a late answer brings nothing back`, async () => {
      const home = await temporaryDirectory();
      onTestFinished(() => home[Symbol.asyncDispose]());
      const credentials = fileStore(home.path);
      const world = await startWorld({
        credentials,
        authOf: (authority) => loginAuth(credentials, authority),
      });
      const { authority } = world;
      await saveLogin(credentials, {
        kind: "human",
        authority: authority.url,
        account_id: "acct-1",
        user_id: "user-1",
        proof: "biscuit",
        access_token: world.human.accessToken,
        logged_in_at: "2026-03-23T12:00:00Z",
      });
      const tasks = world.tasks({ store: fileTaskStore(`${home.path}/threads`) });
      const thread = tasks.thread("thread-1");
      let out: Promise<unknown> = Promise.resolve();
      const change = () => {
        out = removeLogin(credentials).then(() => authority.removeHuman(world.human.accessToken));
        return out;
      };
      const turn = await turnWith(world, moment, change, async () => {
        if (moment === "before") await out;
        return await thread.ensure();
      }).catch((error: unknown) => error);
      await out;
      if (moment !== "after") expect(turn).toBeUndefined();
      expect((await credentials.load()).login).toBeNull();
      expect(await tasks.peek("thread-1")).toBeUndefined();
      expect(await thread.ensure()).toBeUndefined();
      await expectRejection(thread.credential(), AgentTaskError, "not_logged_in");
      const { sentSoFar } = world;
      const before = sentSoFar();
      thread.prewarm();
      expect(await thread.ensure()).toBeUndefined();
      expect(sentSoFar()).toBe(before);
    });
  }

  it("while a turn waits for a busy thread sends nothing any more", async () => {
    const world = await startWorld({ proof: "biscuit" });
    await world.identities.ensure();
    world.sent();
    const { store } = world;
    const tasks = world.tasks({ store });
    let release = (): void => {};
    const busy = store.withLock?.(
      "thread-1",
      () =>
        new Promise<void>((resolve) => {
          release = resolve;
        }),
    );
    const turn = tasks.ensure("thread-1");
    await new Promise((resolve) => setImmediate(resolve));
    world.auth.set(undefined);
    release();
    await busy;
    expect(await turn).toBeUndefined();
    expect(world.sent()).toBe(0);
  });

  it("ignores a refusal of the agent whose login has ended", async () => {
    const world = await startWorld();
    const second = world.login("acct-2");
    await world.identities.ensure();
    world.authority.fault("register_task", refusal(401, "unauthenticated"));
    const tasks = world.tasks();
    tasks.on("registering", () => world.auth.set(second));
    expect(accountOf(world, (await tasks.ensure("thread-1"))?.agentRuntimeId)).toBe("acct-2");
  });
});

describe("a thread that is forgotten while its task is registered", () => {
  it("stays forgotten, here and in the store, whatever answer comes late", async () => {
    for (const [moment] of STEPS) {
      const world = await startWorld({ proof: "biscuit" });
      const tasks = world.tasks({ store: world.store });
      let forgotten: Promise<unknown> = Promise.resolve();
      const change = () => {
        forgotten = tasks.forget("thread-1");
      };
      // The turn that asked has its task; nothing is kept of it.
      const task = await turnWith(world, moment, change, () => tasks.ensure("thread-1"));
      await forgotten;
      expect(task).toMatchObject({ taskId: "task_1" });
      expect(await tasks.peek("thread-1")).toBeUndefined();
      expect(await tasks.list()).toEqual([]);
      expect((await tasks.ensure("thread-1"))?.taskId).toBe("task_1");
    }
  });
});

describe("a prewarm after a switch of accounts", () => {
  it("registers for who is at work now, although the thread has another one's task", async () => {
    const world = await startWorld();
    const tasks = world.tasks();
    await tasks.ensure("thread-1");
    world.auth.set(world.login("acct-2"));
    tasks.prewarm("thread-1");
    await expect.poll(() => world.authority.tasks.length).toBe(2);
    await expect.poll(async () => (await tasks.peek("thread-1"))?.taskId).toBe("task_2");
  });
});
