import { AuthorityClient, createOwnEndRequest } from "@countersign/agent-identity/authority-client";
import { AgentKey, formatTimestamp } from "@countersign/agent-key";
import { openSealedBox } from "@countersign/agent-task/sealed-box";
import { describe, expect, it } from "vitest";
import { expectRefusal } from "./expect-refusal.js";
import { type CallOptions, NOON, TestedAuthority } from "./start-authority.js";

interface Signed {
  readonly id: string;
  readonly key: AgentKey;
  readonly taskId?: string | undefined;
  readonly authority?: string;
  readonly atMs?: number;
}

const pathOf = ({ id, taskId }: Pick<Signed, "id" | "taskId">) =>
  taskId === undefined ? `/v1/agent/${id}/end` : `/v1/agent/${id}/task/${taskId}/end`;

function bodyOf(tested: TestedAuthority, { id, key, taskId, authority, atMs }: Signed) {
  const timestamp = formatTimestamp(atMs ?? tested.clock.nowMs);
  const end = { authority: authority ?? tested.url, agentRuntimeId: id, taskId, timestamp };
  return createOwnEndRequest(end, key);
}

/** Ends what was signed for, or what `sent` names in its place. */
async function end(
  tested: TestedAuthority,
  signed: Signed,
  sent: CallOptions & Partial<Signed> = {},
) {
  const { id = signed.id, taskId = signed.taskId, ...options } = sent;
  const body = await bodyOf(tested, signed);
  return tested.call("POST", pathOf({ id, taskId }), { body, ...options });
}

async function startWithTask() {
  const tested = await TestedAuthority.start();
  const { id, key, token } = await tested.agent();
  const task = async () => {
    const { body } = await tested.registerTask(id, key);
    return Buffer.from(
      openSealedBox(Buffer.from(body.encrypted_task_id, "base64"), key),
    ).toString();
  };
  const auditOf = async () =>
    (await tested.authority.registry.listAuditEvents()).map(({ action, code, actor }) => [
      action,
      code,
      actor,
    ]);
  return { tested, id, key, token, taskId: await task(), task, auditOf };
}

describe.each(["agent", "task"] as const)("an end by the agent's own key, of the %s", (what) => {
  async function start() {
    const started = await startWithTask();
    const { id, key, taskId } = started;
    const target = what === "agent" ? undefined : taskId;
    return { ...started, signed: { id, key, taskId: target } };
  }

  it("is refused in another form, and with a human's token beside it (X-4)", async () => {
    const { tested, token, signed } = await start();
    await using _ = tested;
    const body = await bodyOf(tested, signed);
    for (const wrong of [
      {},
      [],
      { ...body, signature: undefined },
      { ...body, signature: "no base64" },
      { ...body, signature: 7 },
      { ...body, timestamp: "2026-04-15 12:00:00" },
      { ...body, timestamp: undefined },
    ]) {
      expectRefusal(await end(tested, signed, { body: wrong }), 400, "invalid_request");
    }
    const headers = { authorization: `Bearer ${token}` };
    expectRefusal(await end(tested, signed, { headers }), 400, "invalid_request");
    expect((await tested.call("GET", `/v1/agent/${signed.id}`)).body.agent_state).toBe("active");
  });

  it("is refused outside the skew, before the agent is looked for (X-4)", async () => {
    const { tested, signed } = await start();
    await using _ = tested;
    const unknown = { ...signed, id: "agent_unknown" };
    for (const of of [signed, unknown]) {
      expectRefusal(await end(tested, { ...of, atMs: NOON - 301_000 }), 401, "expired");
      expectRefusal(await end(tested, { ...of, atMs: NOON + 301_000 }), 401, "not_yet_valid");
    }
    expectRefusal(await end(tested, unknown), 404, "unknown_agent");
    expect((await end(tested, { ...signed, atMs: NOON - 300_000 })).status).toBe(200);
  });

  it("is refused by another key, for another authority, and in place of another end (X-3, G-A53)", async () => {
    const { tested, id, key, taskId, task, signed } = await start();
    await using _ = tested;
    const other = await tested.agent("user-2");
    for (const [by, sent] of [
      [{ ...signed, key: AgentKey.generate() }, {}],
      [{ ...signed, key: other.key }, {}],
      [{ ...signed, authority: "https://other.example" }, {}],
      [{ ...signed, authority: `${tested.url}/backend-api` }, {}],
      [signed, { id: other.id }],
    ] as const) {
      expectRefusal(await end(tested, by, sent), 401, "bad_signature");
    }
    // Neither stands for the other, nor for another task.
    const [ofAgent, ofTask] = [
      { id, key },
      { id, key, taskId },
    ];
    if (what === "task") {
      expectRefusal(await end(tested, ofAgent, { taskId }), 401, "bad_signature");
      expectRefusal(await end(tested, ofTask, { taskId: await task() }), 401, "bad_signature");
    }
    const body = await bodyOf(tested, ofTask);
    expectRefusal(await end(tested, ofAgent, { body }), 401, "bad_signature");
    expect(await tested.authority.registry.listTasks({ state: "revoked" })).toEqual([]);
  });

  it("is refused where the authority does not know its own address (X-4)", async () => {
    const { tested, signed } = await start();
    await using _ = tested;
    const headers = { "x-forwarded-for": "192.0.2.1" };
    expectRefusal(await end(tested, signed, { headers }), 403, "forbidden");
  });

  it("takes the prefix by which the client calls the authority (X-3)", async () => {
    const { tested, signed } = await start();
    await using _ = tested;
    const authority = `${tested.url}/backend-api`;
    const body = await bodyOf(tested, { ...signed, authority });
    expect((await tested.call("POST", `/backend-api${pathOf(signed)}`, { body })).status).toBe(200);
  });

  it("is by a former key no longer, once that has ended (X-3)", async () => {
    const { tested, id, key, signed } = await start();
    await using _ = tested;
    const { rows } = tested.store;
    const next = AgentKey.generate();
    await rows
      .updateTable("agents")
      .set({ public_key: next.publicKey.line })
      .where("agent_runtime_id", "=", id)
      .execute();
    expectRefusal(await end(tested, { ...signed, key }), 401, "bad_signature");
    expect((await end(tested, { ...signed, key: next })).status).toBe(200);
  });

  it("is in the audit log, and its refusal too", async () => {
    const { tested, id, signed, auditOf } = await start();
    await using _ = tested;
    await end(tested, { ...signed, key: AgentKey.generate() });
    await end(tested, signed);
    expect((await auditOf()).slice(-2)).toEqual([
      [what === "agent" ? "agent_revocation" : "task_revocation", "bad_signature", undefined],
      [what === "agent" ? "agent_revoked" : "task_revoked", undefined, `agent:${id}`],
    ]);
  });
});

it("an agent ends itself with all its tasks, says so again, and never comes back (X-5)", async () => {
  const { tested, id, key, token, taskId, auditOf } = await startWithTask();
  await using _ = tested;
  const ended = { agent_runtime_id: id, agent_state: "revoked" };
  expect((await end(tested, { id, key })).body).toEqual(ended);
  const events = await auditOf();
  expect((await end(tested, { id, key })).body).toEqual(ended);
  expect(await auditOf()).toEqual(events);
  const { body } = await tested.call("GET", `/v1/agent/${id}/task/${taskId}`);
  expect(body.agent_state).toBe("revoked");
  expectRefusal(await tested.registerTask(id, key), 401, "agent_revoked");
  expectRefusal(await tested.registerAgent(token, key), 401, "agent_revoked");
});

it("an agent whose key was never proved is given up, and is unknown when it says so again (X-2, X-5)", async () => {
  await using tested = await TestedAuthority.start();
  const key = AgentKey.generate();
  const { body } = await tested.registerAgent(await tested.token(), key);
  const signed = { id: String(body.agent_runtime_id), key };
  expect((await end(tested, signed)).status).toBe(200);
  expectRefusal(await end(tested, signed), 404, "unknown_agent");
  expect(await tested.authority.registry.listAgents()).toEqual([]);
});

it("a task ends alone, and takes no place of the limit (X-5)", async () => {
  await using tested = await TestedAuthority.start({ maxLiveTasks: 1 });
  const { id, key } = await tested.agent();
  const first = await tested.registerTask(id, key, { "idempotency-key": "k" });
  const taskId = Buffer.from(
    openSealedBox(Buffer.from(first.body.encrypted_task_id, "base64"), key),
  ).toString();
  expectRefusal(await tested.registerTask(id, key), 403, "task_limit");
  const ended = { agent_runtime_id: id, task_id: taskId, task_state: "revoked" };
  expect((await end(tested, { id, key, taskId })).body).toEqual(ended);
  expect((await end(tested, { id, key, taskId })).body).toEqual(ended);
  const { body } = await tested.call("GET", `/v1/agent/${id}/task/${taskId}`);
  expect(body).toMatchObject({ agent_state: "active", task: { state: "revoked" } });
  expect((await tested.registerTask(id, key, { "idempotency-key": "k" })).status).toBe(200);
});

it("a task that is unknown or another agent's is 404 unknown_task, once the signature held (X-4)", async () => {
  const { tested, id, key } = await startWithTask();
  await using _ = tested;
  const other = await tested.agent("user-2");
  const theirs = await tested.registerTask(other.id, other.key);
  const taskId = Buffer.from(
    openSealedBox(Buffer.from(theirs.body.encrypted_task_id, "base64"), other.key),
  ).toString();
  for (const each of [taskId, "task_unknown"]) {
    expectRefusal(await end(tested, { id, key, taskId: each }), 404, "unknown_task");
  }
  expect(await tested.authority.registry.listTasks({ state: "revoked" })).toEqual([]);
});

it("an agent that has expired ends itself all the same, and a claim that was not proved is deleted (X-5)", async () => {
  await using tested = await TestedAuthority.start({ agentTtlSeconds: 60 });
  const { registry } = tested.authority;
  const claim = await tested.agent();
  expect((await end(tested, claim)).status).toBe(200);
  expect(await registry.listAgents()).toEqual([]);
  const { id, key } = await tested.agent();
  await tested.registerTask(id, key);
  tested.clock.nowMs += 60_000;
  expect((await end(tested, { id, key })).status).toBe(200);
  expect(await registry.getAgent(id)).toMatchObject({ state: "revoked" });
});

it("the client ends a task and then its agent, without any login (X-3)", async () => {
  const { tested, id: agentRuntimeId, key, taskId } = await startWithTask();
  await using _ = tested;
  const { registry } = tested.authority;
  const now = () => tested.clock.nowMs;
  const client = new AuthorityClient({ authority: tested.url, attempts: 1, now });
  await client.endTask({ agentRuntimeId, key, taskId });
  expect(await registry.getTask(taskId)).toMatchObject({ state: "revoked" });
  const unknown = client.endTask({ agentRuntimeId, key, taskId: "task_unknown" });
  await expect(unknown).rejects.toMatchObject({ code: "unknown_task", status: 404 });
  await client.endAgent({ agentRuntimeId, key });
  expect(await registry.getAgent(agentRuntimeId)).toMatchObject({ state: "revoked" });
});
