import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { headerOf, startTestUpstream, type UpstreamAnswer } from "@countersign/testing";
import { afterEach, describe, expect, onTestFinished, test } from "vitest";
import { createDirectoryRecord } from "../src/index.js";
import { remoteDirectory } from "../src/remote-directory.js";
import {
  AGENT_PATH,
  closeAll,
  open,
  setUp,
  TASK_PATH,
  unavailable,
  unknownAgent,
} from "./directory-scene.js";
import { expectFailure, failureOf } from "./expect-rejection.js";
import { AGENT_ID, agent, task } from "./fixtures.js";

afterEach(closeAll);

describe("a record", () => {
  test("is kept for the revocation delay and not a moment longer", async () => {
    const scene = await setUp();
    await scene.readAgent();
    await scene.readTask();
    scene.clock.advance(14_999);
    await scene.readAgent();
    await scene.readTask();
    expect(scene.asked()).toEqual([AGENT_PATH, TASK_PATH]);
    scene.agent = { ...agent, state: "revoked" };
    scene.task = { ...task, state: "revoked" };
    scene.clock.advance(1);
    expect((await scene.readAgent())?.state).toBe("revoked");
    expect((await scene.readTask())?.state).toBe("revoked");
  });

  test("is kept from when it was asked for, not from when the answer came (G-R1)", async () => {
    const scene = await setUp();
    const held = Promise.withResolvers<void>();
    scene.upstream.answer({ kind: "hold", until: held.promise, answer: scene.record(AGENT_PATH) });
    const lookup = scene.readAgent();
    scene.clock.advance(10_000);
    held.resolve();
    await lookup;
    scene.clock.advance(5000);
    await scene.readAgent();
    expect(scene.asked()).toEqual([AGENT_PATH, AGENT_PATH]);
  });

  test.each([
    ["private, max-age=5", undefined, 5000],
    ["MAX-AGE=5", undefined, 5000],
    ["max-age=86400", undefined, 15_000],
    ["max-age=15", "12", 3000],
    ["max-age=15", "60", 0],
    ["no-store", undefined, 0],
    ["no-cache, max-age=15", undefined, 0],
    ["s-maxage=1", undefined, 15_000],
    ["max-age=soon", undefined, 15_000],
  ])("with Cache-Control %s and Age %s is kept for %i ms", async (control, age, keptMs) => {
    const scene = await setUp();
    scene.headers = { "cache-control": control, ...(age === undefined ? {} : { age }) };
    await scene.readAgent();
    scene.clock.advance(Math.max(0, keptMs - 1));
    await scene.readAgent();
    expect(scene.asked()).toHaveLength(keptMs === 0 ? 2 : 1);
    scene.clock.advance(1);
    await scene.readAgent();
    expect(scene.asked()).toHaveLength(1);
  });

  test("is never kept longer than 30 s, whatever the answer says (G-R1)", async () => {
    const scene = await setUp({ revocationDelaySeconds: 30 });
    scene.headers = { "cache-control": "max-age=86400" };
    await scene.readAgent();
    scene.clock.advance(30_000);
    await scene.readAgent();
    expect(scene.asked()).toHaveLength(2);
  });

  test("is not kept longer because the clock was set back", async () => {
    const scene = await setUp();
    await scene.readAgent();
    scene.clock.advance(-1);
    await scene.readAgent();
    expect(scene.asked()).toHaveLength(2);
  });

  test("hides no later answer because the clock was set back (G-R1)", async () => {
    const scene = await setUp();
    await scene.readAgent();
    await scene.readTask();
    scene.clock.advance(-60_000);
    scene.agent = { ...agent, state: "revoked" };
    scene.task = { ...task, state: "revoked" };
    expect((await scene.readAgent())?.state).toBe("revoked");
    expect((await scene.readTask())?.state).toBe("revoked");
  });

  test("is gone although the clock was set back", async () => {
    const scene = await setUp();
    await scene.readAgent();
    scene.clock.advance(-60_000);
    scene.answer = unknownAgent;
    expect(await scene.readAgent()).toBeUndefined();
  });

  test("is asked for by its ETag, and kept again when it has not changed", async () => {
    const scene = await setUp();
    scene.headers = { etag: '"v1"' };
    const first = await scene.readAgent();
    scene.clock.advance(15_000);
    scene.upstream.answer({ status: 304, headers: { "cache-control": "max-age=10" } });
    expect(await scene.readAgent()).toBe(first);
    expect(headerOf(scene.upstream.requests[1] ?? expect.fail(), "if-none-match")).toBe('"v1"');
    scene.clock.advance(9999);
    await scene.readAgent();
    expect(scene.asked()).toHaveLength(2);
    scene.clock.advance(1);
    scene.upstream.answer({ status: 304 });
    await scene.readAgent();
    expect(headerOf(scene.upstream.requests[2] ?? expect.fail(), "if-none-match")).toBe('"v1"');
  });

  test("is asked for without an ETag when that has no proper form", async () => {
    const scene = await setUp();
    scene.headers = { etag: "v1" };
    await scene.readAgent();
    scene.clock.advance(15_000);
    await scene.readAgent();
    expect(headerOf(scene.upstream.requests[1] ?? expect.fail(), "if-none-match")).toBeUndefined();
  });

  test("of an agent is ended by an answer about its task", async () => {
    const scene = await setUp();
    await scene.readAgent();
    scene.agent = { ...agent, state: "revoked" };
    await scene.readTask();
    expect((await scene.readAgent())?.state).toBe("revoked");
    expect(scene.asked()).toEqual([AGENT_PATH, TASK_PATH]);
  });

  test("of an agent is forgotten by an answer about its task that does not know the agent", async () => {
    const scene = await setUp();
    await scene.readAgent();
    scene.answer = unknownAgent;
    expect(await scene.readTask()).toBeUndefined();
    expect(await scene.readAgent()).toBeUndefined();
    scene.answer = { kind: "reset" };
    scene.clock.advance(5000);
    await expectFailure(scene.readAgent, "unreachable");
  });

  test("makes room for others when there are more than may be kept", async () => {
    const upstream = await startTestUpstream(({ url }) => {
      const agentRuntimeId = url.split("/").at(-1) ?? "";
      return { body: createDirectoryRecord({ ...agent, agentRuntimeId }) };
    });
    const directory = remoteDirectory(upstream.url, { maxEntries: 2 });
    open.push(directory, upstream);
    for (const id of ["a", "b", "a", "c", "a", "b"]) await directory.agent(id);
    const asked = upstream.requests.map((request) => request.url.split("/").at(-1));
    expect(asked).toEqual(["a", "b", "c", "b"]);
  });
});

describe("a stale record", () => {
  const outages: readonly [string, UpstreamAnswer][] = [
    ["a connection error", { kind: "reset" }],
    ["500", { status: 500 }],
    ["503", unavailable],
  ];
  const refusals: readonly [string, string, UpstreamAnswer][] = [
    ["401", "unauthenticated", { status: 401 }],
    ["403", "forbidden", { status: 403 }],
    ["429", "rate_limited", { status: 429 }],
    ["an answer of another form", "bad_response", { body: {} }],
    ["a redirect", "bad_response", { status: 302, headers: { location: "/" } }],
  ];

  test.each(outages)(
    "serves after %s until 300 s after it was asked for (G-R2)",
    async (_, outage) => {
      const scene = await setUp();
      await scene.readAgent();
      await scene.readTask();
      scene.answer = outage;
      scene.clock.advance(299_999);
      expect((await scene.readAgent())?.state).toBe("active");
      expect((await scene.readTask())?.state).toBe("active");
      scene.clock.advance(1);
      expect((await failureOf(scene.readAgent)) as object).toMatchObject({ retryable: true });
      expect((await failureOf(scene.readTask)) as object).toMatchObject({ retryable: true });
    },
  );

  test.each(refusals)("does not serve after %s (G-R2)", async (_, code, refusal) => {
    const scene = await setUp();
    await scene.readAgent();
    scene.answer = refusal;
    scene.clock.advance(15_000);
    await expectFailure(scene.readAgent, code);
  });

  test("does not serve after an answer that Node's fetch cannot read as HTTP (G-R2)", async () => {
    const broken = createServer((socket) => socket.end("what?\r\n\r\n"));
    onTestFinished(() => void broken.close());
    await once(broken.listen(0, "127.0.0.1"), "listening");
    const { port } = broken.address() as AddressInfo;
    let isBroken = false;
    const scene = await setUp({
      fetch: (url, init) => fetch(isBroken ? `http://127.0.0.1:${port}/` : url, init),
    });
    await scene.readAgent();
    isBroken = true;
    scene.clock.advance(15_000);
    await expectFailure(scene.readAgent, "bad_response");
  });

  test("does not serve at all with staleIfErrorSeconds 0", async () => {
    const scene = await setUp({ staleIfErrorSeconds: 0 });
    await scene.readAgent();
    scene.answer = unavailable;
    scene.clock.advance(15_000);
    await expectFailure(scene.readAgent, "server_error");
  });

  test("does not serve past its end of life (G-R5)", async () => {
    const scene = await setUp();
    const expiresAt = scene.clock.now() + 60_000;
    scene.agent = { ...agent, expiresAt };
    scene.task = { ...task, expiresAt };
    await scene.readAgent();
    await scene.readTask();
    scene.answer = unavailable;
    scene.clock.advance(59_999);
    expect((await scene.readAgent())?.expiresAt).toBe(expiresAt);
    expect((await scene.readTask())?.expiresAt).toBe(expiresAt);
    scene.clock.advance(1);
    await expectFailure(scene.readAgent, "server_error");
    await expectFailure(scene.readTask, "server_error");
  });

  test("that was known revoked stays revoked, however long the outage (G-R5)", async () => {
    const scene = await setUp();
    await scene.readAgent();
    scene.agent = { ...agent, state: "revoked" };
    scene.clock.advance(15_000);
    await scene.readAgent();
    scene.answer = unavailable;
    scene.clock.advance(16_000);
    expect((await scene.readAgent())?.state).toBe("revoked");
    scene.clock.advance(3_600_000);
    expect((await scene.readAgent())?.state).toBe("revoked");
  });

  test("does not serve once the authority did not know it any more", async () => {
    const scene = await setUp();
    await scene.readAgent();
    await scene.readTask();
    scene.clock.advance(15_000);
    scene.task = undefined;
    expect(await scene.readTask()).toBeUndefined();
    scene.answer = unknownAgent;
    expect(await scene.readAgent()).toBeUndefined();
    scene.answer = unavailable;
    scene.clock.advance(5000);
    await expectFailure(scene.readAgent, "server_error");
    await expectFailure(scene.readTask, "server_error");
  });

  test("gives way to the authority as soon as it answers again", async () => {
    const scene = await setUp();
    await scene.readAgent();
    scene.answer = unavailable;
    scene.clock.advance(100_000);
    await scene.readAgent();
    scene.answer = undefined;
    scene.agent = { ...agent, state: "revoked" };
    expect((await scene.readAgent())?.state).toBe("revoked");
  });
});

describe("what is absent", () => {
  test("is remembered for 5 s", async () => {
    const scene = await setUp();
    scene.answer = unknownAgent;
    expect(await scene.readAgent()).toBeUndefined();
    scene.clock.advance(4999);
    expect(await scene.readAgent()).toBeUndefined();
    expect(scene.asked()).toEqual([AGENT_PATH]);
    scene.clock.advance(1);
    scene.answer = undefined;
    expect((await scene.readAgent())?.agentRuntimeId).toBe(AGENT_ID);
  });

  test("gives way at once to another answer that knows it", async () => {
    const scene = await setUp({ revocationDelaySeconds: 0 });
    scene.answer = unknownAgent;
    expect(await scene.readAgent()).toBeUndefined();
    scene.answer = undefined;
    scene.agent = { ...agent, state: "revoked" };
    await scene.readTask();
    expect((await scene.readAgent())?.state).toBe("revoked");
  });

  test("covers a task that is null", async () => {
    const scene = await setUp();
    scene.task = undefined;
    expect(await scene.readTask()).toBeUndefined();
    expect(await scene.readTask()).toBeUndefined();
    expect(scene.asked()).toEqual([TASK_PATH]);
    scene.clock.advance(5000);
    scene.task = task;
    expect(await scene.readTask()).toBeDefined();
  });

  test("does not push out what exists, however much of it is asked for", async () => {
    const scene = await setUp({ maxEntries: 2 });
    await scene.readAgent();
    scene.answer = unknownAgent;
    for (let i = 0; i < 20; i += 1) await scene.directory.agent(`invented-${i}`);
    scene.asked();
    expect((await scene.readAgent())?.agentRuntimeId).toBe(AGENT_ID);
    expect(scene.asked()).toEqual([]);
  });
});
