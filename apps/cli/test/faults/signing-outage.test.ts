import { AgentIdentityManager, fixedAuth, memoryStore } from "@countersign/agent-identity";
import { AuthorityClient } from "@countersign/agent-identity/authority-client";
import { AgentTaskManager } from "@countersign/agent-task";
import { createSigningProxy } from "@countersign/assertion-proxy";
import {
  pacedBy,
  startTestAuthority,
  startTestUpstream,
  type TestAuthority,
} from "@countersign/testing";
import { describe, expect, onTestFinished, test } from "vitest";

const TOKEN = "client-token-0123456789";
const FOREVER = Number.POSITIVE_INFINITY;

/** A signing proxy over real sockets, whose agent's client and whose clients wait by one clock that nothing else moves. */
async function startWorld(options: { readonly credentialMs?: number } = {}) {
  const authority = await startTestAuthority();
  onTestFinished(() => authority.close());
  const upstream = await startTestUpstream();
  onTestFinished(() => upstream.close());
  const startedAt = Date.now();
  let passedMs = 0;
  const now = () => startedAt + passedMs;
  const pass = async (ms: number) => {
    passedMs += ms;
  };
  const human = { accountId: "acct-1", userId: "user-1" };
  const client = new AuthorityClient({
    authority: authority.url,
    now,
    ...pacedBy(pass, () => 0),
  });
  const identities = new AgentIdentityManager({
    authority: authority.url,
    auth: fixedAuth({ kind: "human", ...human, accessToken: authority.addHuman(human) }),
    store: memoryStore(),
    client,
    now,
  });
  const tasks = new AgentTaskManager({ identities, now });
  const proxy = createSigningProxy({
    upstream: upstream.url,
    source: (id) => (id === undefined ? tasks.run() : tasks.thread(id)),
    clientToken: TOKEN,
    ...options,
  });
  const { url } = await proxy.listen({ host: "127.0.0.1", port: 0 });
  onTestFinished(async () => {
    await proxy.close({ drainMs: 1 });
    await tasks.close();
    await identities.close();
  });
  const send = async (thread: string) => {
    const answer = await fetch(`${url}/v1/responses`, {
      method: "POST",
      headers: { authorization: `Bearer ${TOKEN}`, "x-thread-id": thread },
      body: "{}",
    });
    const retryAfter = answer.headers.get("retry-after");
    const { code } = answer.ok ? {} : ((await answer.json()) as { code: string });
    return { status: answer.status, code, retryAfterMs: Number(retryAfter ?? 0) * 1000 };
  };
  /** One turn of a client that repeats as Codex does, until an answer is 200. */
  async function turn(thread: string, tries: number) {
    const askedBefore = client.requestCount;
    const from = passedMs;
    const answers: { status: number; code: string | undefined }[] = [];
    let askedIn20s = 0;
    for (let count = 0; count < tries; count += 1) {
      const { status, code, retryAfterMs } = await send(thread);
      answers.push({ status, code });
      if (passedMs - from <= 20_000) askedIn20s = client.requestCount - askedBefore;
      if (status === 200 || count === tries - 1) break;
      await pass(Math.max(200 * 2 ** Math.min(count, 4), retryAfterMs));
    }
    return { answers, askedIn20s, asked: client.requestCount - askedBefore, ms: passedMs - from };
  }
  return { authority, client, identities, upstream, send, turn, pass };
}

type Step = "register_agent" | "register_task";
type Outage = readonly [
  name: string,
  begin: (authority: TestAuthority, step: Step) => unknown,
  end: (authority: TestAuthority) => unknown,
  answer: { readonly status: number; readonly code: string },
];

const clear = (authority: TestAuthority) => authority.clearFaults();
const status = (code: number) => (authority: TestAuthority, step: Step) =>
  authority.fault(step, { kind: "status", status: code }, FOREVER);
const OUTAGES: readonly Outage[] = [
  [
    "refuses connections",
    (authority) => authority.stop(),
    (authority) => authority.start(),
    { status: 502, code: "unreachable" },
  ],
  [
    "ends connections",
    (authority, step) => authority.fault(step, { kind: "reset" }, FOREVER),
    clear,
    { status: 502, code: "unreachable" },
  ],
  ["answers 503", status(503), clear, { status: 503, code: "server_error" }],
  ["answers 500", status(500), clear, { status: 503, code: "server_error" }],
  ["answers 429", status(429), clear, { status: 429, code: "rate_limited" }],
];

describe.each(OUTAGES)("behind a signing proxy whose authority %s", (_, begin, end, answer) => {
  describe.each(["register_agent", "register_task"] as const)("at %s,", (step) => {
    async function startOutage() {
      const world = await startWorld();
      if (step === "register_task") await world.identities.ensure();
      await begin(world.authority, step);
      return world;
    }

    test("a turn of 30 tries makes at most 5 registrations within 20 s, and the next turn after it is back succeeds", async () => {
      const world = await startOutage();
      const { answers, askedIn20s } = await world.turn("thread-1", 30);
      expect(answers).toEqual(Array.from({ length: 30 }, () => answer));
      expect(askedIn20s).toBeGreaterThan(1);
      expect(askedIn20s).toBeLessThanOrEqual(5);
      await end(world.authority);
      await world.pass(5000);
      expect(await world.turn("thread-1", 1)).toMatchObject({ answers: [{ status: 200 }] });
      expect(world.upstream.requests).toHaveLength(1);
    });

    test("a turn of 3 tries is told within 20 s, after at most 5 registrations", async () => {
      const world = await startOutage();
      const { ms, asked } = await world.turn("thread-1", 3);
      expect(ms).toBeLessThan(20_000);
      expect(asked).toBeLessThanOrEqual(5);
    });

    test("a turn of 3 tries succeeds if it is back before the last one", async () => {
      const world = await startOutage();
      const failed = await world.turn("thread-1", 2);
      expect(failed.answers).toEqual([answer, answer]);
      await end(world.authority);
      await world.pass(5000);
      expect(await world.turn("thread-1", 1)).toMatchObject({ answers: [{ status: 200 }] });
    });
  });
});

test("behind a signing proxy whose authority hangs, a turn of 30 tries makes at most 5 registrations within 20 s", async () => {
  // Its time-outs are the only ones that are real, and take none of the time that the clients count.
  const world = await startWorld({ credentialMs: 100 });
  await world.identities.ensure();
  world.authority.fault("register_task", { kind: "hang" }, FOREVER);
  const { answers, askedIn20s } = await world.turn("thread-1", 30);
  const answer = { status: 504, code: "timeout" };
  expect(answers).toEqual(Array.from({ length: 30 }, () => answer));
  expect(askedIn20s).toBeLessThanOrEqual(5);
});

describe("while a signing proxy knows that its authority is away,", () => {
  test("other threads are refused at once, with Retry-After, and a thread that has its task is served", async () => {
    const world = await startWorld();
    expect(await world.send("known")).toMatchObject({ status: 200 });
    await world.authority.stop();
    expect(await world.send("cold")).toMatchObject({ status: 502 });
    const { requestCount } = world.client;
    for (const thread of ["cold", "colder", "coldest"]) {
      const refused = { status: 502, code: "unreachable", retryAfterMs: 5000 };
      expect(await world.send(thread)).toEqual(refused);
    }
    expect(await world.send("known")).toMatchObject({ status: 200 });
    expect(world.client.requestCount).toBe(requestCount);
  });

  test("one of the requests that come together after 5 s asks, and after its success all are served", async () => {
    const world = await startWorld();
    await world.identities.ensure();
    world.authority.fault("register_task", { kind: "status", status: 503 }, FOREVER);
    await world.send("cold");
    world.authority.clearFaults();
    await world.pass(5000);
    let answer = () => {};
    const until = new Promise<void>((resolve) => {
      answer = resolve;
    });
    world.authority.fault("register_task", { kind: "hold", until });
    const { registerTask } = world.authority.counts;
    const first = world.send("thread-1");
    await expect.poll(() => world.authority.counts.registerTask).toBe(registerTask + 1);
    for (const thread of ["thread-2", "thread-3"]) {
      expect(await world.send(thread)).toMatchObject({ status: 503, code: "server_error" });
    }
    expect(world.authority.counts.registerTask).toBe(registerTask + 1);
    answer();
    expect(await first).toMatchObject({ status: 200 });
    for (const thread of ["thread-2", "thread-3"]) {
      expect(await world.send(thread)).toMatchObject({ status: 200 });
    }
  });
});
