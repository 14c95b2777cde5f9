import { type Fetch, platformFetch } from "@countersign/agent-key/platform-fetch";
import { startTestUpstream } from "@countersign/testing";
import { afterEach, describe, expect, test } from "vitest";
import { createDirectoryRecord } from "../src/index.js";
import { type DirectoryEvent, remoteDirectory } from "../src/remote-directory.js";
import {
  AGENT_PATH,
  closeAll,
  open,
  type Scene,
  setUp,
  TASK_PATH,
  unavailable,
  unknownAgent,
} from "./directory-scene.js";
import { expectFailure, failureOf } from "./expect-rejection.js";
import { AGENT_ID, agent, TASK_ID, task } from "./fixtures.js";

afterEach(closeAll);

/** A client to which, on demand, no answer comes in time; without the time. */
class SilentClient {
  isSilent = false;
  timeouts = 0;

  readonly fetch: Fetch = async (url, init) => {
    if (!this.isSilent) return await platformFetch(url, init);
    this.timeouts += 1;
    throw new DOMException("no answer in time", "TimeoutError");
  };
}

const reset = { kind: "reset" } as const;

async function keepBoth(scene: Scene): Promise<void> {
  await scene.readAgent();
  await scene.readTask();
  scene.asked();
  scene.clock.advance(15_000);
}

describe("while the authority does not answer", () => {
  test("one lookup waits for it, and those after it are served stale at once", async () => {
    const client = new SilentClient();
    const scene = await setUp({ fetch: client.fetch });
    await keepBoth(scene);
    client.isSilent = true;
    expect((await scene.readAgent())?.state).toBe("active");
    for (let i = 0; i < 20; i += 1) {
      expect((await scene.readAgent())?.state).toBe("active");
      expect((await scene.readTask())?.state).toBe("active");
    }
    expect(client.timeouts).toBe(1);
  });

  test("lookups do not wait for the one that asks, either", async () => {
    const scene = await setUp({ deadlineMs: 600_000 });
    await keepBoth(scene);
    scene.answer = reset;
    await scene.readAgent();
    const held = Promise.withResolvers<void>();
    scene.answer = { kind: "hold", until: held.promise, answer: scene.record(AGENT_PATH) };
    scene.clock.advance(1000);
    const asking = scene.readAgent();
    expect((await scene.readAgent())?.state).toBe("active");
    expect((await scene.readTask())?.state).toBe("active");
    scene.clock.advance(5000);
    expect((await scene.readAgent())?.state).toBe("active");
    held.resolve();
    await asking;
    expect(scene.asked()).toEqual([AGENT_PATH, AGENT_PATH]);
  });

  test.each([
    [4, [1000, 1000, 2000, 4000, 4000, 4000]],
    [15, [1000, 1000, 2000, 4000, 8000, 15_000, 15_000]],
    [30, [1000, 1000, 2000, 4000, 8000, 15_000, 15_000]],
  ])(
    "it is asked less and less often, but within a revocation delay of %i s",
    async (delay, expected) => {
      const scene = await setUp({ staleIfErrorSeconds: 3600, revocationDelaySeconds: delay });
      await keepBoth(scene);
      scene.clock.advance(15_000);
      scene.answer = reset;
      await scene.readAgent();
      const gaps: number[] = [];
      scene.asked();
      let last = scene.clock.now();
      for (let i = 0; i < 120; i += 1) {
        scene.clock.advance(500);
        await scene.readAgent();
        if (scene.asked().length === 0) continue;
        gaps.push(scene.clock.now() - last);
        last = scene.clock.now();
      }
      expect(gaps.slice(0, expected.length)).toEqual(expected);
    },
  );

  test("a lookup that nothing kept may serve asks each time", async () => {
    const scene = await setUp();
    scene.answer = reset;
    await expectFailure(scene.readAgent, "unreachable");
    await expectFailure(scene.readAgent, "unreachable");
    await expectFailure(scene.readTask, "unreachable");
    expect(scene.asked()).toEqual([AGENT_PATH, AGENT_PATH, TASK_PATH]);
  });

  test("nothing is served longer than staleIfErrorSeconds allow, or past its end of life (G-R3)", async () => {
    const scene = await setUp();
    scene.task = { ...task, expiresAt: scene.clock.now() + 60_000 };
    await keepBoth(scene);
    scene.answer = reset;
    await scene.readAgent();
    scene.clock.advance(45_000 - 1);
    await scene.readAgent();
    expect((await scene.readTask())?.state).toBe("active");
    scene.clock.advance(1);
    await expectFailure(scene.readTask, "unreachable");
    scene.clock.advance(240_000 - 1);
    expect((await scene.readAgent())?.state).toBe("active");
    scene.clock.advance(1);
    await expectFailure(scene.readAgent, "unreachable");
  });

  test("nothing is served with staleIfErrorSeconds 0", async () => {
    const scene = await setUp({ staleIfErrorSeconds: 0 });
    await keepBoth(scene);
    scene.answer = reset;
    await expectFailure(scene.readAgent, "unreachable");
    await expectFailure(scene.readAgent, "unreachable");
  });

  test("it is asked each time with revocationDelaySeconds 0", async () => {
    const scene = await setUp({ revocationDelaySeconds: 0 });
    await scene.readAgent();
    scene.answer = reset;
    await scene.readAgent();
    scene.answer = undefined;
    scene.agent = { ...agent, state: "revoked" };
    expect((await scene.readAgent())?.state).toBe("revoked");
  });

  test("what was seen revoked stays revoked", async () => {
    const scene = await setUp();
    await scene.readTask();
    scene.agent = { ...agent, state: "revoked" };
    await keepBoth(scene);
    scene.answer = reset;
    for (let i = 0; i < 5; i += 1) expect((await scene.readAgent())?.state).toBe("revoked");
    scene.clock.advance(3_600_000);
    expect((await scene.readAgent())?.state).toBe("revoked");
  });
});

test("an older answer that comes late is not kept, even if the newer one was evicted before it came", async () => {
  const scene = await setUp({ maxEntries: 1 });
  const held = Promise.withResolvers<void>();
  scene.upstream.answer({ kind: "hold", until: held.promise, answer: scene.record(AGENT_PATH) });
  const early = scene.readAgent();
  scene.clock.advance(1);
  scene.agent = { ...agent, state: "revoked" };
  await scene.readTask();
  scene.agent = { ...agent, agentRuntimeId: "agent-2" };
  await scene.directory.agent("agent-2");
  held.resolve();
  await early;
  scene.answer = reset;
  await expectFailure(scene.readAgent, "unreachable");
});

test("an older answer that comes late does not bring back an agent that a newer one no longer knew", async () => {
  const scene = await setUp();
  const held = Promise.withResolvers<void>();
  scene.upstream.answer({ kind: "hold", until: held.promise, answer: scene.record(AGENT_PATH) });
  const early = scene.readAgent();
  scene.clock.advance(1);
  scene.answer = unknownAgent;
  await scene.readTask();
  held.resolve();
  expect(await early).toBeUndefined();
});

describe("once the authority is back", () => {
  test.each([1000, 10_000, 100_000, 200_000])(
    "after %i ms, a revocation is seen within the revocation delay (G-R3)",
    async (outageMs) => {
      const scene = await setUp();
      await keepBoth(scene);
      scene.answer = reset;
      for (let i = 0; i < 10; i += 1) {
        await scene.readAgent();
        await scene.readTask();
        scene.clock.advance(outageMs / 10);
      }
      scene.answer = undefined;
      scene.task = { ...task, state: "revoked" };
      const back = scene.clock.now();
      while ((await scene.readTask())?.state !== "revoked") scene.clock.advance(100);
      expect(scene.clock.now() - back).toBeLessThanOrEqual(15_000);
    },
  );

  test("one answer is enough for every record to be asked for again", async () => {
    const scene = await setUp();
    await keepBoth(scene);
    scene.answer = reset;
    await scene.readAgent();
    scene.answer = unknownAgent;
    await scene.directory.agent("another");
    scene.answer = undefined;
    scene.agent = { ...agent, state: "revoked" };
    expect((await scene.readAgent())?.state).toBe("revoked");
  });

  test("refusing what it is asked, it is obeyed", async () => {
    const scene = await setUp();
    await keepBoth(scene);
    scene.answer = reset;
    await scene.readAgent();
    scene.clock.advance(1000);
    scene.answer = { status: 403 };
    await expectFailure(scene.readAgent, "forbidden");
    await expectFailure(scene.readTask, "forbidden");
  });
});

test("a 5xx, which may be about one record, keeps no other from being asked for", async () => {
  const scene = await setUp();
  await keepBoth(scene);
  scene.answer = unavailable;
  await scene.readAgent();
  await scene.readAgent();
  await scene.readTask();
  expect(scene.asked()).toEqual([AGENT_PATH, AGENT_PATH, TASK_PATH]);
});

describe("an account with more agents and tasks than are kept", () => {
  test("pushes out its own, so that the others last through an outage (G-R4)", async () => {
    const upstream = await startTestUpstream(({ url }) => {
      const [agentRuntimeId = "", , taskId] = url.split("/").slice(3);
      const accountId = agentRuntimeId.startsWith("loud") ? "acct-loud" : "acct-1";
      return {
        body: createDirectoryRecord(
          { ...agent, agentRuntimeId, accountId },
          taskId === undefined ? undefined : { ...task, taskId },
        ),
      };
    });
    const directory = remoteDirectory(upstream.url, { maxEntries: 20 });
    open.push(directory, upstream);
    await directory.agent(AGENT_ID);
    await directory.task(AGENT_ID, TASK_ID);
    for (let i = 0; i < 40; i += 1) {
      await directory.agent(`loud-${i}`);
      await directory.task("loud", `task-${i}`);
    }
    const before = upstream.requests.length;
    expect((await directory.agent(AGENT_ID))?.agentRuntimeId).toBe(AGENT_ID);
    expect((await directory.task(AGENT_ID, TASK_ID))?.taskId).toBe(TASK_ID);
    expect(upstream.requests).toHaveLength(before);
  });
});

describe("the lookups that onLookup is called with", () => {
  async function listen() {
    const events: DirectoryEvent[] = [];
    const scene = await setUp({ onLookup: (event) => events.push(event) });
    return { scene, heard: () => events.splice(0) };
  }
  const base = { about: "agent", durationMs: 0 } as const;

  test("say how each ended", async () => {
    const { scene, heard } = await listen();
    scene.headers = { etag: '"v1"' };
    await scene.readAgent();
    await scene.readAgent();
    scene.clock.advance(15_000);
    scene.upstream.answer({ status: 304 });
    await scene.readAgent();
    expect(heard()).toEqual([
      { ...base, outcome: "miss", asked: true },
      { ...base, outcome: "hit", asked: false },
      { ...base, outcome: "revalidated", asked: true },
    ]);
    scene.task = undefined;
    await scene.readTask();
    await scene.readTask();
    expect(heard()).toEqual([
      { ...base, about: "task", outcome: "miss", asked: true },
      { ...base, about: "task", outcome: "negative", asked: false },
    ]);
    scene.clock.advance(15_000);
    scene.answer = reset;
    await scene.readAgent();
    await scene.readAgent();
    await failureOf(scene.readTask);
    expect(heard()).toEqual([
      { ...base, outcome: "stale", asked: true, code: "unreachable" },
      { ...base, outcome: "stale", asked: false },
      { ...base, about: "task", outcome: "error", asked: true, code: "unreachable" },
    ]);
  });

  test("say how long it took, and who asked among those who waited", async () => {
    const { scene, heard } = await listen();
    const held = Promise.withResolvers<void>();
    scene.upstream.answer({ kind: "hold", until: held.promise, answer: scene.record(AGENT_PATH) });
    const lookups = [scene.readAgent(), scene.readAgent()];
    scene.clock.advance(700);
    held.resolve();
    await Promise.all(lookups);
    const miss = { about: "agent", outcome: "miss", durationMs: 700 };
    expect(heard().sort((a, b) => Number(b.asked) - Number(a.asked))).toEqual([
      { ...miss, asked: true },
      { ...miss, asked: false },
    ]);
  });

  test("are not spoilt by a listener that throws", async () => {
    const warned = new Promise((resolve) => process.once("warning", resolve));
    const scene = await setUp({
      onLookup: () => {
        throw new Error("the listener's fault");
      },
    });
    expect((await scene.readAgent())?.state).toBe("active");
    expect(await warned).toMatchObject({ message: "the listener's fault" });
  });
});
