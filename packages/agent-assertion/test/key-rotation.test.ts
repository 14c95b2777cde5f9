import { AgentKey } from "@countersign/agent-key";
import { afterEach, describe, expect, test } from "vitest";
import { type AgentRecord, createVerifier, signAssertion } from "../src/index.js";
import type { RemoteDirectoryOptions } from "../src/remote-directory.js";
import { AGENT_PATH, closeAll, setUp, unavailable } from "./directory-scene.js";
import { expectRejection } from "./expect-rejection.js";
import { AGENT_ID, agent, key, otherKey, TASK_ID } from "./fixtures.js";

afterEach(closeAll);

const stranger = AgentKey.generate();
const BOTH: AgentRecord = { ...agent, publicKeys: [otherKey.publicKey, key.publicKey] };

/** A verifier over a remote directory that has seen the agent with its first key. */
async function setUpVerifier(options?: RemoteDirectoryOptions) {
  const scene = await setUp(options);
  const verifier = createVerifier({ directory: scene.directory, now: scene.clock.now });
  const present = (by: AgentKey) => {
    const timestamp = new Date(scene.clock.now()).toISOString().replace(/\.\d+Z$/, "Z");
    const ids = { agentRuntimeId: AGENT_ID, taskId: TASK_ID };
    return verifier.verify(signAssertion({ ...ids, key: by, timestamp }));
  };
  await present(key);
  scene.asked();
  return { scene, present };
}

async function expectRefused(promise: Promise<unknown>): Promise<void> {
  await expectRejection(() => promise, "bad_signature");
}

describe("a key that was rotated in", () => {
  test("is known with its first request, however fresh the record is", async () => {
    const { scene, present } = await setUpVerifier();
    scene.agent = BOTH;
    await present(otherKey);
    expect(scene.asked()).toEqual([AGENT_PATH]);
    await present(key);
    await present(otherKey);
    expect(scene.asked()).toEqual([]);
  });

  test("is known to all requests that come together, by one question", async () => {
    const { scene, present } = await setUpVerifier();
    scene.agent = BOTH;
    await Promise.all(Array.from({ length: 20 }, () => present(otherKey)));
    expect(scene.asked()).toEqual([AGENT_PATH]);
  });

  test("is known also right after another rotation", async () => {
    const { scene, present } = await setUpVerifier();
    await expectRefused(present(stranger));
    scene.clock.advance(5000);
    scene.agent = BOTH;
    await present(otherKey);
    scene.agent = { ...agent, publicKeys: [stranger.publicKey, otherKey.publicKey] };
    await present(stranger);
    expect(scene.asked()).toEqual([AGENT_PATH, AGENT_PATH, AGENT_PATH]);
  });

  test("is not missed for a question that was asked before it was there", async () => {
    const { scene, present } = await setUpVerifier();
    scene.clock.advance(15_000);
    const held = Promise.withResolvers<void>();
    const before = scene.record(AGENT_PATH);
    scene.upstream.answer({ kind: "hold", until: held.promise, answer: before });
    const early = present(key);
    await expect.poll(() => scene.asked()).toEqual([AGENT_PATH]);
    scene.clock.advance(1);
    scene.agent = BOTH;
    const late = present(otherKey);
    held.resolve();
    await Promise.all([early, late]);
  });
});

describe("a signature under no key of the agent", () => {
  test("is refused, and has the authority asked once in 5 s (G-K6)", async () => {
    const { scene, present } = await setUpVerifier();
    await expectRefused(present(stranger));
    expect(scene.asked()).toEqual([AGENT_PATH]);
    await Promise.all(Array.from({ length: 20 }, () => expectRefused(present(stranger))));
    scene.clock.advance(4999);
    await expectRefused(present(stranger));
    expect(scene.asked()).toEqual([]);
    scene.clock.advance(1);
    await expectRefused(present(stranger));
    expect(scene.asked()).toEqual([AGENT_PATH]);
  });

  test("is refused also where the record is the same by its ETag", async () => {
    const { scene, present } = await setUpVerifier();
    scene.answer = { status: 304 };
    scene.headers = { etag: '"v1"' };
    await expectRefused(present(stranger));
  });

  test("changes nothing about the record, and holds up no other request", async () => {
    const { scene, present } = await setUpVerifier();
    await expectRefused(present(stranger));
    await present(key);
    expect(scene.asked()).toEqual([AGENT_PATH]);
  });

  test.each([
    ["is out of reach", { kind: "reset" }],
    ["fails", unavailable],
    ["refuses this server's token", { status: 401 }],
  ] as const)("is refused, and others are served, where the authority %s", async (_, answer) => {
    const { scene, present } = await setUpVerifier();
    scene.answer = answer;
    await expectRefused(present(stranger));
    expect(scene.asked()).toEqual([AGENT_PATH]);
    await present(key);
    await expectRefused(present(stranger));
    scene.clock.advance(5000);
    expect(scene.asked()).toEqual([]);
  });
});

test("an authority that is known to be out of reach is not asked for a newer key", async () => {
  const { scene, present } = await setUpVerifier();
  scene.answer = { kind: "reset" };
  scene.clock.advance(15_000);
  await present(key);
  expect(scene.asked()).toEqual([AGENT_PATH]);
  await expectRefused(present(stranger));
  expect(scene.asked()).toEqual([]);
});

test("a key that was rotated away is refused once the record says so", async () => {
  const { scene, present } = await setUpVerifier();
  scene.agent = { ...agent, publicKeys: [otherKey.publicKey] };
  await present(otherKey);
  await expectRefused(present(key));
});
