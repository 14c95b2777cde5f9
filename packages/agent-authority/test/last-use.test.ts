import { createVerifier, signAssertion } from "@countersign/agent-assertion";
import {
  remoteDirectory,
  type UseReportEvent,
} from "@countersign/agent-assertion/remote-directory";
import { formatTimestamp } from "@countersign/agent-key";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { databaseDirectory } from "../src/index.js";
import { expectRefusal } from "./expect-refusal.js";
import { type CallOptions, NOON, TestedAuthority } from "./start-authority.js";

const PATH = "/v1/assertion/uses";
const PUBLIC = { publicUrl: "https://authority.example" };

async function startWithTasks(options: Parameters<typeof TestedAuthority.start>[0] = {}) {
  const tested = await TestedAuthority.start(options);
  onTestFinished(() => tested[Symbol.asyncDispose]());
  const agents = [];
  for (const user of ["user-1", "user-2"]) {
    const { id, key } = await tested.agent(user);
    expect((await tested.registerTask(id, key)).status).toBe(200);
    const [task] = await tested.authority.registry.listTasks({ agentRuntimeId: id });
    agents.push({ id, key, taskId: task?.taskId ?? "" });
  }
  const [one = expect.unreachable(), two = expect.unreachable()] = agents;
  const { registry } = tested.authority;
  const { token, id: tokenId } = await registry.createAccessToken({
    accountId: "acct-1",
    userId: "gateway",
    role: "resource_server",
    name: "gateway eu",
    ttlSeconds: 86_400,
  });
  const report = (uses: unknown, headers: CallOptions["headers"] = bearer(token)) =>
    tested.call("POST", PATH, { headers, body: { uses } });
  const lastUse = async ({ id, taskId }: { id: string; taskId: string }) => [
    (await registry.getAgent(id))?.lastUsedAt,
    (await registry.getTask(taskId))?.lastUsedAt,
  ];
  return { tested, registry, one, two, token, tokenId, report, lastUse };
}

function bearer(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}` };
}

const UNUSED = [undefined, undefined];

describe("a report of uses", () => {
  it("takes a resource_server token, and no other", async () => {
    const { tested, report, one, lastUse } = await startWithTasks(PUBLIC);
    const uses = [{ agent_runtime_id: one.id, task_id: one.taskId, seconds_ago: 0 }];
    for (const role of ["human", "read", "audit", "stop", "operate"] as const) {
      expectRefusal(await report(uses, bearer(await tested.token(role))), 401, "unauthenticated");
    }
    expectRefusal(await report(uses, {}), 401, "unauthenticated");
    expect(await lastUse(one)).toEqual(UNUSED);
  });

  it("needs no token where the directory is open", async () => {
    const { report, one, registry } = await startWithTasks();
    expect((await report([{ agent_runtime_id: one.id, seconds_ago: 0 }], {})).status).toBe(200);
    expect((await registry.getAgent(one.id))?.lastUsedReportedBy).toBe("loopback");
  });

  it("is refused in another form", async () => {
    const { report } = await startWithTasks(PUBLIC);
    const use = { agent_runtime_id: "agent-1", seconds_ago: 0 };
    const many = Array.from({ length: 400 }, () => use);
    for (const uses of [
      {},
      [{ task_id: "task-1", seconds_ago: 0 }],
      [{ agent_runtime_id: "agent-1" }],
      [{ ...use, seconds_ago: -1 }],
      [{ ...use, seconds_ago: 86_401 }],
      [{ ...use, seconds_ago: 0.5 }],
      [{ ...use, agent_runtime_id: "a/b" }],
      [...many, use],
    ]) {
      expectRefusal(await report(uses), 400, "invalid_request");
    }
    expect((await report(many)).status).toBe(200);
  });

  it("is shown with its reporter, by the authority's clock", async () => {
    const { registry, report, one, two, tokenId } = await startWithTasks(PUBLIC);
    const uses = [
      { agent_runtime_id: one.id, task_id: one.taskId, seconds_ago: 61 },
      { agent_runtime_id: two.id, seconds_ago: 5 },
      { agent_runtime_id: one.id, seconds_ago: 1 },
    ];
    expect((await report(uses)).status).toBe(200);
    const lastUsedReportedBy = `gateway eu (token:${tokenId})`;
    const ofOne = { lastUsedAt: "2026-04-15T11:59:59Z", lastUsedReportedBy };
    const firstUsedAt = "2026-04-15T11:58:59Z";
    const ofTask = { firstUsedAt, lastUsedAt: firstUsedAt, lastUsedReportedBy };
    const ofTwo = { lastUsedAt: "2026-04-15T11:59:55Z", lastUsedReportedBy };
    expect(await registry.getAgent(one.id)).toMatchObject(ofOne);
    expect(await registry.getTask(one.taskId)).toMatchObject(ofTask);
    expect(await registry.listAgents()).toMatchObject([ofOne, ofTwo]);
    const [first, second] = await registry.listTasks();
    expect(first).toMatchObject(ofTask);
    expect(second).not.toHaveProperty("lastUsedAt");
    expect((await registry.find(one.id)).agents).toMatchObject([ofOne]);
    expect((await registry.find(one.taskId)).tasks).toMatchObject([ofTask]);
  });

  it("moves the last use forwards alone, and the first use never", async () => {
    const { tested, registry, report, one, lastUse } = await startWithTasks(PUBLIC);
    const uses = (secondsAgo: number) => [
      { agent_runtime_id: one.id, task_id: one.taskId, seconds_ago: secondsAgo },
    ];
    await report(uses(10));
    await report(uses(20));
    expect(await lastUse(one)).toEqual(Array(2).fill("2026-04-15T11:59:50Z"));
    tested.clock.nowMs += 60_000;
    await report(uses(0));
    expect(await lastUse(one)).toEqual(Array(2).fill("2026-04-15T12:01:00Z"));
    expect((await registry.getTask(one.taskId))?.firstUsedAt).toBe("2026-04-15T11:59:50Z");
  });

  it("leaves out what is unknown, and a task of another agent", async () => {
    const { report, one, two, lastUse } = await startWithTasks(PUBLIC);
    const uses = [
      { agent_runtime_id: "agent_unknown", task_id: one.taskId, seconds_ago: 0 },
      { agent_runtime_id: two.id, task_id: one.taskId, seconds_ago: 0 },
      { agent_runtime_id: two.id, task_id: "task_unknown", seconds_ago: 0 },
    ];
    const { status, body } = await report(uses);
    // The answer says nothing of what exists.
    expect([status, body]).toEqual([200, {}]);
    expect(await lastUse(one)).toEqual(UNUSED);
    expect(await lastUse(two)).toEqual(["2026-04-15T12:00:00Z", undefined]);
    expect((await report([])).status).toBe(200);
  });

  it("reaches no agent that its token may not read (G-A55)", async () => {
    const { tested, tokenId, report, one, lastUse } = await startWithTasks(PUBLIC);
    const uses = [{ agent_runtime_id: one.id, task_id: one.taskId, seconds_ago: 0 }];
    const limitTo = (account: string) =>
      tested.store.rows
        .updateTable("access_tokens")
        .set({ accounts: JSON.stringify([account]) })
        .where("access_token_id", "=", tokenId)
        .execute();
    await limitTo("acct-2");
    expect((await report(uses)).status).toBe(200);
    expect(await lastUse(one)).toEqual(UNUSED);
    await limitTo("acct-1");
    await report(uses);
    expect(await lastUse(one)).not.toEqual(UNUSED);
  });

  it("is refused first under load, before a registration is, and holds none up (G-A55)", async () => {
    // A quarter of them is one.
    const limits = { maxRequests: 4 };
    const { tested, registry, token, report, one } = await startWithTasks({ ...PUBLIC, limits });
    const uses = [{ agent_runtime_id: one.id, seconds_ago: 0 }];
    // The use of each token is written after the answer to its first request: then no other transaction is left.
    await report([]);
    await expect
      .poll(async () => (await registry.listAccessTokens()).every((token) => token.lastUsedAt))
      .toBe(true);
    const held = Promise.withResolvers<void>();
    const transact = tested.store.transaction.bind(tested.store);
    const transaction = vi.spyOn(tested.store, "transaction");
    onTestFinished(() => transaction.mockRestore());
    transaction.mockImplementationOnce(async (work) => {
      await held.promise;
      return await transact(work);
    });
    const first = report(uses);
    await expect.poll(() => transaction.mock.calls.length).toBe(1);
    // However its target is written.
    for (const path of [PATH, `${PATH}?x`, `${PATH}?`, "/v1/assertion/%75ses"]) {
      const options = { headers: bearer(token), body: { uses } };
      expectRefusal(await tested.call("POST", path, options), 503, "server_error");
    }
    expect((await tested.registerTask(one.id, one.key)).status).toBe(200);
    held.resolve();
    expect((await first).status).toBe(200);
    expect((await report(uses)).status).toBe(200);
  });
});

it("reports of one token leave places to those of others (G-A55)", async () => {
  const { tested, registry, one, report, lastUse } = await startWithTasks(PUBLIC);
  const others = await tested.token("resource_server", "gateway-2", "ops");
  const uses = [{ agent_runtime_id: one.id, task_id: one.taskId, seconds_ago: 0 }];
  await report([]);
  await report([], bearer(others));
  // Then no other transaction is left.
  await expect
    .poll(async () => (await registry.listAccessTokens()).every((token) => token.lastUsedAt))
    .toBe(true);
  const held = Promise.withResolvers<void>();
  const transact = tested.store.transaction.bind(tested.store);
  const transaction = vi.spyOn(tested.store, "transaction");
  onTestFinished(() => transaction.mockRestore());
  transaction.mockImplementationOnce(async (work) => {
    await held.promise;
    return await transact(work);
  });
  const statuses: number[] = [];
  const many = Array.from({ length: 33 }, async () => {
    statuses.push((await report([{ agent_runtime_id: one.id, seconds_ago: 9 }])).status);
  });
  await expect.poll(() => statuses).toEqual(Array(25).fill(503));
  const other = report(uses, bearer(others));
  held.resolve();
  expect((await other).status).toBe(200);
  expect(await lastUse(one)).toEqual(Array(2).fill("2026-04-15T12:00:00Z"));
  await Promise.all(many);
  expect(statuses.filter((status) => status === 200)).toHaveLength(8);
});

describe("an accepted assertion", () => {
  it("is reported by a verifier with a remote directory", async () => {
    const { tested, token, one, lastUse } = await startWithTasks();
    const events: UseReportEvent[] = [];
    const directory = remoteDirectory(tested.url, {
      token,
      onUseReport: (event) => events.push(event),
    });
    const verifier = createVerifier({ directory, now: () => NOON });
    await verifier.verify(assertionOf(one));
    expect(await lastUse(one)).toEqual(UNUSED);
    await directory.close?.();
    expect(events).toEqual([{ outcome: "sent", uses: 2, dropped: 0 }]);
    expect(await lastUse(one)).toEqual(Array(2).fill("2026-04-15T12:00:00Z"));
  });

  it("is noted by introspection, whoami and a directory on the database", async () => {
    const { tested, token, registry, one, two, lastUse } = await startWithTasks();
    await tested.call("POST", "/v1/assertion/introspect", {
      headers: bearer(token),
      body: { authorization: assertionOf(one) },
    });
    await expect.poll(() => lastUse(one)).toEqual(Array(2).fill("2026-04-15T12:00:00Z"));
    expect((await registry.getAgent(one.id))?.lastUsedReportedBy).toBe("database");
    const headers = { authorization: assertionOf(two) };
    expect((await tested.call("GET", "/v1/assertion/whoami", { headers })).status).toBe(200);
    await expect.poll(() => lastUse(two)).not.toEqual(UNUSED);
    tested.clock.nowMs += 60_000;
    const directory = databaseDirectory(tested.store, "https://authority.example");
    await createVerifier({ directory, now: () => NOON }).verify(assertionOf(one));
    await expect.poll(() => lastUse(one)).toEqual(["2026-04-15T12:01:00Z", "2026-04-15T12:01:00Z"]);
  });

  it("is noted at most once a minute, and a refused one never", async () => {
    const { tested, one, two, lastUse } = await startWithTasks();
    const directory = databaseDirectory(tested.store, "https://authority.example");
    const verifier = createVerifier({ directory, now: () => NOON });
    await tested.authority.registry.revokeTask(one.taskId);
    await expect(verifier.verify(assertionOf(one))).rejects.toThrow();
    await tested.authority.registry.restoreTask(one.taskId);
    await verifier.verify(assertionOf(one));
    await expect.poll(() => lastUse(one)).toEqual(Array(2).fill("2026-04-15T12:00:00Z"));
    tested.clock.nowMs += 59_000;
    for (let i = 0; i < 20; i += 1) await verifier.verify(assertionOf(one));
    // What comes after it is written with it, or after it.
    await verifier.verify(assertionOf(two));
    await expect.poll(() => lastUse(two)).toEqual(Array(2).fill("2026-04-15T12:00:59Z"));
    expect(await lastUse(one)).toEqual(Array(2).fill("2026-04-15T12:00:00Z"));
  });

  it("is not noted by a directory on the database that is told so", async () => {
    const { tested } = await startWithTasks();
    const authority = "https://authority.example";
    expect(
      databaseDirectory(tested.store, authority, { notesUses: false }).noteUse,
    ).toBeUndefined();
  });
});

function assertionOf({ id, key, taskId }: { id: string; key: SigningKey; taskId: string }): string {
  return signAssertion({ key, agentRuntimeId: id, taskId, timestamp: formatTimestamp(NOON) });
}

type SigningKey = Parameters<typeof signAssertion>[0]["key"];
