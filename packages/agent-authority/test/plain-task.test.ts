import { AgentKey, formatTimestamp } from "@countersign/agent-key";
import { signPlainTaskRegistration, signTaskRegistration } from "@countersign/agent-task";
import { expectRejection } from "@countersign/testing/vitest";
import { describe, expect, it } from "vitest";
import { AgentAuthorityError, createAuthority } from "../src/index.js";
import { expectRefusal } from "./expect-refusal.js";
import { NOON, TestedAuthority, taskPath } from "./start-authority.js";

const KEY_FIELD = { "idempotency-key": "thread-key-1" };

interface Plain {
  readonly authority?: string;
  readonly idempotencyKey?: string;
  readonly nowMs?: number;
}

function plainBody(
  tested: TestedAuthority,
  agentRuntimeId: string,
  key: AgentKey,
  { authority = tested.url, idempotencyKey, nowMs = NOON }: Plain = {},
) {
  const timestamp = formatTimestamp(nowMs);
  return signPlainTaskRegistration({ authority, agentRuntimeId, timestamp, idempotencyKey }, key);
}

describe("a registration that asks for a plain task id", () => {
  it("is refused if plain_task_id is anything but true", async () => {
    await using tested = await TestedAuthority.start();
    const { id, key } = await tested.agent();
    for (const plain_task_id of [false, null, "true", 1, {}]) {
      const body = { ...plainBody(tested, id, key), plain_task_id };
      expectRefusal(await tested.call("POST", taskPath(id), { body }), 400, "invalid_request");
    }
  });

  it("holds for no other text than its own: the member can be neither added nor removed on the way (G-A33)", async () => {
    await using tested = await TestedAuthority.start();
    const { id, key } = await tested.agent();
    const other = await tested.agent();
    const sealed = signTaskRegistration(id, key, formatTimestamp(NOON));
    const { plain_task_id: _, ...removed } = plainBody(tested, id, key);
    for (const body of [
      { ...sealed, plain_task_id: true },
      removed,
      plainBody(tested, id, AgentKey.generate()),
      plainBody(tested, other.id, key),
      plainBody(tested, id, key, { authority: "https://other.example" }),
      plainBody(tested, id, key, { authority: `${tested.url}/backend-api` }),
      { ...plainBody(tested, id, key), timestamp: formatTimestamp(NOON + 1_000) },
    ]) {
      expectRefusal(await tested.call("POST", taskPath(id), { body }), 401, "bad_signature");
    }
    expect(await tested.authority.registry.listTasks()).toEqual([]);
  });

  it("brings the task of its own Idempotency-Key alone", async () => {
    await using tested = await TestedAuthority.start();
    const { id, key } = await tested.agent();
    const idempotencyKey = KEY_FIELD["idempotency-key"];
    const register = (body: object, headers: Record<string, string>) =>
      tested.call("POST", taskPath(id), { body, headers });
    const own = plainBody(tested, id, key, { idempotencyKey });
    const first = await register(own, KEY_FIELD);
    expect(first.status).toBe(200);
    expect((await register(own, KEY_FIELD)).body).toEqual(first.body);
    expectRefusal(await register(own, {}), 401, "bad_signature");
    expectRefusal(await register(own, { "idempotency-key": "another" }), 401, "bad_signature");
    expectRefusal(await register(plainBody(tested, id, key), KEY_FIELD), 401, "bad_signature");
    expect(await tested.authority.registry.listTasks()).toHaveLength(1);
  });

  it("is answered with the task id in clear, and its end", async () => {
    await using tested = await TestedAuthority.start({ taskTtlSeconds: 600 });
    const { id, key } = await tested.agent();
    const body = plainBody(tested, id, key);
    const answer = await tested.call("POST", taskPath(id), { body });
    expect(answer.status).toBe(200);
    const [task] = await tested.authority.registry.listTasks();
    expect(answer.body).toEqual({
      task_id: task?.taskId,
      expires_at: formatTimestamp(NOON + 600_000),
    });
  });

  it("is signed for the address that the client calls, with its prefix", async () => {
    await using tested = await TestedAuthority.start();
    const { id, key } = await tested.agent();
    const authority = `${tested.url}/backend-api`;
    const body = plainBody(tested, id, key, { authority });
    const path = `/backend-api${taskPath(id)}`;
    expect((await tested.call("POST", path, { body })).status).toBe(200);
    await using base = await tested.beside({ publicUrl: "https://authority.example/base" });
    const signed = plainBody(base, id, key, { authority: "https://authority.example/base" });
    expect((await base.call("POST", taskPath(id), { body: signed })).status).toBe(200);
  });

  it("is forbidden where the authority does not know its own address", async () => {
    await using tested = await TestedAuthority.start();
    const { id, key } = await tested.agent();
    const answer = await tested.call("POST", taskPath(id), {
      body: plainBody(tested, id, key),
      headers: { "x-forwarded-for": "192.0.2.1" },
    });
    expectRefusal(answer, 403, "forbidden");
    expect(answer.body.detail).toContain("its own address");
  });

  it("is forbidden where the operator refuses it, before its time and signature are looked at (G-A33)", async () => {
    await using tested = await TestedAuthority.start({ plainTaskIds: "refuse" });
    const { id, key } = await tested.agent();
    for (const body of [
      plainBody(tested, id, key),
      plainBody(tested, id, AgentKey.generate(), { nowMs: NOON - 400_000 }),
    ]) {
      const answer = await tested.call("POST", taskPath(id), { body });
      expectRefusal(answer, 403, "forbidden");
      expect(answer.body.detail).toContain("plain_task_ids");
    }
    expect(Object.keys((await tested.registerTask(id, key)).body)).toEqual(["encrypted_task_id"]);
  });
});

describe("an authority with another policy of plain task ids than the two", () => {
  it("is not made", async () => {
    await using tested = await TestedAuthority.start();
    const options = { store: tested.store, plainTaskIds: "require" as "refuse" };
    await expectRejection(createAuthority(options), AgentAuthorityError, "config_invalid");
  });
});
