import { AgentKey, formatTimestamp } from "@countersign/agent-key";
import { openSealedBox } from "@countersign/agent-task/sealed-box";
import { describe, expect, it } from "vitest";
import { expectRefusal } from "./expect-refusal.js";
import { type Answer, NOON, TestedAuthority, taskBody, taskPath } from "./start-authority.js";

function taskIdOf(answer: Answer, key: AgentKey): string {
  expect(answer.status).toBe(200);
  const box = Buffer.from(answer.body.encrypted_task_id, "base64");
  return Buffer.from(openSealedBox(box, key)).toString("utf8");
}

describe("a task registration", () => {
  it("is refused with a body of another form", async () => {
    await using tested = await TestedAuthority.start();
    const { id, key } = await tested.agent();
    const good = taskBody(id, key, NOON);
    for (const body of [
      "",
      "{",
      "null",
      "[]",
      {},
      { ...good, signature: undefined },
      { ...good, signature: "AAAA" },
      { ...good, signature: good.signature.replace(/=+$/, "") },
      { ...good, timestamp: undefined },
      { ...good, timestamp: NOON },
      { ...good, timestamp: "2026-04-15T12:00:00.000Z" },
      { ...good, timestamp: "2026-04-31T12:00:00Z" },
    ]) {
      expectRefusal(await tested.call("POST", taskPath(id), { body }), 400, "invalid_request");
    }
    expect(await tested.authority.registry.listTasks()).toEqual([]);
  });

  it("is refused with a human's token: the signature is what counts", async () => {
    await using tested = await TestedAuthority.start();
    const { id, key, token } = await tested.agent();
    const headers = { authorization: `Bearer ${token}` };
    expectRefusal(await tested.registerTask(id, key, headers), 400, "invalid_request");
    const biscuit = await tested.biscuit(token, taskPath(id));
    const both = { ...headers, "x-openai-authorization": biscuit };
    expectRefusal(await tested.registerTask(id, key, both), 400, "invalid_request");
  });

  it("is refused outside the skew, and taken at both its ends", async () => {
    await using tested = await TestedAuthority.start();
    const { id, key } = await tested.agent();
    const register = (seconds: number) =>
      tested.call("POST", taskPath(id), { body: taskBody(id, key, NOON + seconds * 1_000) });
    expectRefusal(await register(-301), 401, "expired");
    expectRefusal(await register(301), 401, "not_yet_valid");
    expect((await register(-300)).status).toBe(200);
    expect((await register(300)).status).toBe(200);
  });

  it("is refused for an agent that is not known, after its time was checked", async () => {
    await using tested = await TestedAuthority.start();
    const key = AgentKey.generate();
    for (const id of ["agent-1", "agent_01a203fd-b778-77de-b294-a284c59e55fa", "%C3%A9", "a%3Ab"]) {
      expectRefusal(await tested.registerTask(id, key), 401, "unknown_agent");
    }
    const late = await tested.call("POST", taskPath("agent-1"), {
      body: taskBody("agent-1", key, NOON - 400_000),
    });
    expectRefusal(late, 401, "expired");
  });

  it("is refused unless the agent's own key signed this agent's id and this time (G-A33)", async () => {
    await using tested = await TestedAuthority.start();
    const { id, key } = await tested.agent();
    const other = await tested.agent();
    const good = taskBody(id, key, NOON);
    for (const body of [
      taskBody(id, AgentKey.generate(), NOON),
      taskBody(id, other.key, NOON),
      taskBody(other.id, key, NOON),
      { ...good, timestamp: formatTimestamp(NOON + 1_000) },
      { ...good, signature: Buffer.alloc(64).toString("base64") },
    ]) {
      expectRefusal(await tested.call("POST", taskPath(id), { body }), 401, "bad_signature");
    }
    expect((await tested.authority.registry.getAgent(id))?.proven).toBe(false);
  });

  it("discloses nothing about the agent's state before the signature is verified", async () => {
    await using tested = await TestedAuthority.start();
    const { id, key } = await tested.agent();
    await tested.authority.registry.revokeAgent(id);
    expectRefusal(await tested.registerTask(id, AgentKey.generate()), 401, "bad_signature");
    expectRefusal(await tested.registerTask(id, key), 401, "agent_revoked");
  });

  it("is refused with an invalid Idempotency-Key", async () => {
    await using tested = await TestedAuthority.start();
    const { id, key } = await tested.agent();
    for (const value of ["", "a b", "x".repeat(257)]) {
      const headers = { "idempotency-key": value };
      expectRefusal(await tested.registerTask(id, key, headers), 400, "invalid_request");
    }
    const twice = await tested.call("POST", taskPath(id), {
      headers: { "idempotency-key": ["a", "b"] },
      body: taskBody(id, key, NOON),
    });
    expectRefusal(twice, 400, "invalid_request");
  });

  it("answers the sealed id alone, which the agent's key opens and no other (G-A33)", async () => {
    await using tested = await TestedAuthority.start();
    const { id, key } = await tested.agent();
    const answer = await tested.registerTask(id, key);
    expect(Object.keys(answer.body)).toEqual(["encrypted_task_id"]);
    expect(taskIdOf(answer, key)).toMatch(/^task_[0-9a-f-]{36}$/);
    expect(() => taskIdOf(answer, AgentKey.generate())).toThrow();
    expect(answer.headers.date).toBe(new Date(NOON).toUTCString());
  });

  it("gives two tasks for two requests that are equal to the byte", async () => {
    await using tested = await TestedAuthority.start();
    const { id, key } = await tested.agent();
    const [first, second] = [
      await tested.registerTask(id, key),
      await tested.registerTask(id, key),
    ];
    expect(taskIdOf(first, key)).not.toBe(taskIdOf(second, key));
  });

  it("is served under /backend-api", async () => {
    await using tested = await TestedAuthority.start();
    const { id, key } = await tested.agent();
    const answer = await tested.call("POST", `/backend-api${taskPath(id)}`, {
      body: { ...taskBody(id, key, NOON), extra: 1 },
    });
    expect(answer.status).toBe(200);
  });
});

describe("an Idempotency-Key", () => {
  const headers = { "idempotency-key": "thread-key-1" };

  it("brings the same task back while it lives, however many ask at once", async () => {
    await using tested = await TestedAuthority.start();
    const { id, key } = await tested.agent();
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => tested.registerTask(id, key, headers)),
    );
    expect(new Set(answers.map((answer) => taskIdOf(answer, key))).size).toBe(1);
    const other = await tested.registerTask(id, key, { "idempotency-key": "thread-key-2" });
    expect(taskIdOf(other, key)).not.toBe(taskIdOf(answers[0] as Answer, key));
    expect(await tested.authority.registry.listTasks()).toHaveLength(2);
  });

  it("gives a new task once the old one was revoked or ended", async () => {
    await using tested = await TestedAuthority.start({ taskTtlSeconds: 60 });
    const { id, key } = await tested.agent();
    const first = taskIdOf(await tested.registerTask(id, key, headers), key);
    await tested.authority.registry.revokeTask(first);
    const second = taskIdOf(await tested.registerTask(id, key, headers), key);
    expect(second).not.toBe(first);
    expect(taskIdOf(await tested.registerTask(id, key, headers), key)).toBe(second);
    tested.clock.nowMs += 60_000;
    expect(taskIdOf(await tested.registerTask(id, key, headers), key)).not.toBe(second);
  });

  it("belongs to one agent: another's equal key gives another task", async () => {
    await using tested = await TestedAuthority.start();
    const [one, two] = [await tested.agent("user-1"), await tested.agent("user-2")];
    const first = taskIdOf(await tested.registerTask(one.id, one.key, headers), one.key);
    const second = taskIdOf(await tested.registerTask(two.id, two.key, headers), two.key);
    expect(second).not.toBe(first);
  });

  it("does not bring a task back for a revoked agent", async () => {
    await using tested = await TestedAuthority.start();
    const { id, key } = await tested.agent();
    await tested.registerTask(id, key, headers);
    await tested.authority.registry.revokeAgent(id);
    expectRefusal(await tested.registerTask(id, key, headers), 401, "agent_revoked");
  });
});

describe("the limit and the life of tasks", () => {
  it("refuse one more live task of an agent, not of another (G-A35)", async () => {
    await using tested = await TestedAuthority.start({ maxLiveTasks: 2 });
    const { id, key } = await tested.agent();
    const headers = { "idempotency-key": "k" };
    const first = taskIdOf(await tested.registerTask(id, key, headers), key);
    await tested.registerTask(id, key);
    expectRefusal(await tested.registerTask(id, key), 403, "task_limit");
    expect(taskIdOf(await tested.registerTask(id, key, headers), key)).toBe(first);
    const other = await tested.agent("user-2");
    expect((await tested.registerTask(other.id, other.key)).status).toBe(200);
    await tested.authority.registry.revokeTask(first);
    expect((await tested.registerTask(id, key)).status).toBe(200);
  });

  it("say when a task ends", async () => {
    await using tested = await TestedAuthority.start({ taskTtlSeconds: 3_600 });
    const { id, key } = await tested.agent();
    const answer = await tested.registerTask(id, key);
    expect(answer.body.expires_at).toBe("2026-04-15T13:00:00Z");
    const path = `/v1/agent/${id}/task/${taskIdOf(answer, key)}`;
    expect((await tested.call("GET", path)).body.task.state).toBe("active");
    tested.clock.nowMs += 3_600_000;
    expect((await tested.call("GET", path)).body.task.state).toBe("expired");
  });
});
