import { createKeyRotationRequest } from "@countersign/agent-identity/authority-client";
import { AgentKey, formatTimestamp } from "@countersign/agent-key";
import { openSealedBox } from "@countersign/agent-task/sealed-box";
import { expectRejection } from "@countersign/testing/vitest";
import { describe, expect, it } from "vitest";
import { AgentAuthorityError, databaseDirectory } from "../src/index.js";
import { useKey } from "../src/registry/agent-keys.js";
import { stampOf } from "../src/registry/audit-stamp.js";
import { lockAgent } from "../src/registry/operate-agents.js";
import { expectRefusal } from "./expect-refusal.js";
import { type Answer, TestedAuthority } from "./start-authority.js";

const DAY_MS = 86_400_000;

interface RotateOptions {
  readonly token: string;
  readonly id: string;
  readonly current: AgentKey;
  readonly next: AgentKey;
  readonly compromised?: boolean;
  /** What both keys sign as the authority. */
  readonly authority?: string;
  readonly prefix?: string;
  readonly atMs?: number;
}

function rotate(tested: TestedAuthority, options: RotateOptions): Promise<Answer> {
  const { token, id, current, next, compromised, prefix = "" } = options;
  const rotation = {
    authority: options.authority ?? tested.url + prefix,
    agentRuntimeId: id,
    timestamp: formatTimestamp(options.atMs ?? tested.clock.nowMs),
  };
  return tested.call("POST", `${prefix}/v1/agent/${id}/key`, {
    headers: { authorization: `Bearer ${token}` },
    body: createKeyRotationRequest(rotation, { current, next, compromised }),
  });
}

async function keysOf(tested: TestedAuthority, id: string): Promise<string[]> {
  return (await tested.call("GET", `/v1/agent/${id}`)).body.agent_public_keys;
}

describe("a key rotation", () => {
  it("takes the agent's own human", async () => {
    await using tested = await TestedAuthority.start();
    const { id, key: current } = await tested.agent();
    const next = AgentKey.generate();
    for (const [token, status, code] of [
      ["", 401, "unauthenticated"],
      ["cs_human_wrong", 401, "unauthenticated"],
      [await tested.token("operate"), 401, "unauthenticated"],
      [await tested.token("human", "user-2"), 404, "unknown_agent"],
      [await tested.token("human", "user-1", "acct-2"), 404, "unknown_agent"],
    ] as const) {
      expectRefusal(await rotate(tested, { token, id, current, next }), status, code);
    }
    const token = await tested.token();
    const other = `${id}0`;
    expectRefusal(await rotate(tested, { token, id: other, current, next }), 404, "unknown_agent");
    expect(await keysOf(tested, id)).toEqual([current.publicKey.line]);
  });

  it("takes both keys' signatures, over this authority, this agent and now (G-A18)", async () => {
    await using tested = await TestedAuthority.start();
    const { id, key: current, token } = await tested.agent();
    const { id: otherId } = await tested.agent("user-1");
    const next = AgentKey.generate();
    const good = { token, id, current, next };
    for (const [change, status, code] of [
      [{ current: AgentKey.generate() }, 401, "bad_signature"],
      [{ authority: "https://other.example" }, 401, "bad_signature"],
      [{ atMs: tested.clock.nowMs - 301_000 }, 401, "expired"],
      [{ atMs: tested.clock.nowMs + 301_000 }, 401, "not_yet_valid"],
      [{ next: current }, 409, "invalid_key"],
    ] as const) {
      expectRefusal(await rotate(tested, { ...good, ...change }), status, code);
    }
    const body = createKeyRotationRequest(
      {
        authority: tested.url,
        agentRuntimeId: otherId,
        timestamp: formatTimestamp(tested.clock.nowMs),
      },
      { current, next },
    );
    const headers = { authorization: `Bearer ${token}` };
    expectRefusal(
      await tested.call("POST", `/v1/agent/${id}/key`, { headers, body }),
      401,
      "bad_signature",
    );
    expectRefusal(
      await tested.call("POST", `/v1/agent/${id}/key`, { headers, body: {} }),
      400,
      "invalid_request",
    );
    expect(await keysOf(tested, id)).toEqual([current.publicKey.line]);
  });

  it("takes no key that another agent has, or any had before (G-A18)", async () => {
    await using tested = await TestedAuthority.start();
    const { id, key: current, token } = await tested.agent();
    const other = await tested.agent("user-2");
    await tested.registerTask(other.id, other.key);
    expectRefusal(
      await rotate(tested, { token, id, current, next: other.key }),
      409,
      "invalid_key",
    );
    const second = AgentKey.generate();
    expect((await rotate(tested, { token, id, current, next: second })).status).toBe(200);
    const back = await rotate(tested, { token, id, current: second, next: current });
    expectRefusal(back, 409, "invalid_key");
    for (const human of [token, other.token]) {
      expectRefusal(await tested.registerAgent(human, current), 409, "invalid_key");
    }
    await tested.authority.registry.revokeAgent(id);
    for (const key of [current, second]) {
      expectRefusal(await tested.registerAgent(other.token, key), 401, "agent_revoked");
    }
    const taken = { token: other.token, id: other.id, current: other.key };
    expectRefusal(await rotate(tested, { ...taken, next: current }), 401, "agent_revoked");
    expectRefusal(await rotate(tested, { ...taken, next: second }), 401, "agent_revoked");
  });

  it("voids a stranger's claim to the new key that was never proved", async () => {
    await using tested = await TestedAuthority.start();
    const { id, key: current, token } = await tested.agent();
    const next = AgentKey.generate();
    const claim = await tested.registerAgent(await tested.token("human", "user-2"), next);
    expect((await rotate(tested, { token, id, current, next })).status).toBe(200);
    expect(await tested.authority.registry.getAgent(claim.body.agent_runtime_id)).toBeUndefined();
  });

  it("is refused to an agent that has ended", async () => {
    await using tested = await TestedAuthority.start();
    const { id, key: current, token } = await tested.agent();
    await tested.authority.registry.revokeAgent(id);
    const next = AgentKey.generate();
    expectRefusal(await rotate(tested, { token, id, current, next }), 401, "agent_revoked");
  });

  it("leaves both keys valid until the new one is first used (G-A18)", async () => {
    await using tested = await TestedAuthority.start();
    const { id, key: current, token } = await tested.agent();
    const next = AgentKey.generate();
    const answer = await rotate(tested, { token, id, current, next });
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      agent_runtime_id: id,
      agent_public_key: next.publicKey.line,
      former_key_ends_at: formatTimestamp(tested.clock.nowMs + DAY_MS),
    });
    const both = [next.publicKey.line, current.publicKey.line];
    expect(await keysOf(tested, id)).toEqual(both);
    const record = await databaseDirectory(tested.store, tested.url).agent(id);
    expect(record?.publicKeys.map(({ line }) => line)).toEqual(both);

    // The old one still works, and its answer is sealed to it.
    const byOld = await tested.registerTask(id, current);
    const box = Buffer.from(byOld.body.encrypted_task_id, "base64");
    expect(Buffer.from(openSealedBox(box, current)).toString()).toMatch(/^task_/);
    expect(await keysOf(tested, id)).toEqual(both);

    const byNew = await tested.registerTask(id, next);
    const newBox = Buffer.from(byNew.body.encrypted_task_id, "base64");
    expect(Buffer.from(openSealedBox(newBox, next)).toString()).toMatch(/^task_/);
    expect(await keysOf(tested, id)).toEqual([next.publicKey.line]);
    expectRefusal(await tested.registerTask(id, current), 401, "bad_signature");
  });

  it("leaves the former key a day, and no second more", async () => {
    await using tested = await TestedAuthority.start();
    const { id, key: current, token } = await tested.agent();
    const next = AgentKey.generate();
    await rotate(tested, { token, id, current, next });
    tested.clock.nowMs += DAY_MS - 1_000;
    expect(await keysOf(tested, id)).toHaveLength(2);
    tested.clock.nowMs += 1_000;
    expect(await keysOf(tested, id)).toEqual([next.publicKey.line]);
    expectRefusal(await tested.registerTask(id, current), 401, "bad_signature");
  });

  it("ends a compromised key at once", async () => {
    await using tested = await TestedAuthority.start();
    const { id, key: current, token } = await tested.agent();
    const next = AgentKey.generate();
    const answer = await rotate(tested, { token, id, current, next, compromised: true });
    expect(answer.body.former_key_ends_at).toBeNull();
    expect(await keysOf(tested, id)).toEqual([next.publicKey.line]);
    expectRefusal(await tested.registerTask(id, current), 401, "bad_signature");
  });

  it("may be repeated, also with the news that the key is compromised", async () => {
    await using tested = await TestedAuthority.start();
    const { id, key: current, token } = await tested.agent();
    const next = AgentKey.generate();
    const options = { token, id, current, next };
    const first = await rotate(tested, options);
    tested.clock.nowMs += 60_000;
    expect((await rotate(tested, options)).body).toEqual(first.body);
    const worse = await rotate(tested, { ...options, compromised: true });
    expect(worse.body.former_key_ends_at).toBeNull();
    expect(await keysOf(tested, id)).toEqual([next.publicKey.line]);
    expect((await rotate(tested, options)).body.former_key_ends_at).toBeNull();
    const events = await tested.authority.registry.listAuditEvents();
    const told = events.map(({ action }) => action).filter((action) => action.startsWith("agent_"));
    expect(told).toEqual([
      "agent_registered",
      "agent_proven",
      "agent_key_rotated",
      "agent_former_key_ended",
    ]);
  });

  it("may be followed by another, signed by the newest key alone", async () => {
    await using tested = await TestedAuthority.start();
    const { id, key: first, token } = await tested.agent();
    const second = AgentKey.generate();
    const third = AgentKey.generate();
    await rotate(tested, { token, id, current: first, next: second });
    const byOld = await rotate(tested, { token, id, current: first, next: third });
    expectRefusal(byOld, 401, "bad_signature");
    expect((await rotate(tested, { token, id, current: second, next: third })).status).toBe(200);
    expect(await keysOf(tested, id)).toEqual([third.publicKey.line, second.publicKey.line]);
  });

  it("is not outrun: a key that ended while its signature was checked registers nothing", async () => {
    await using tested = await TestedAuthority.start();
    const { id, key: current, token } = await tested.agent();
    const next = AgentKey.generate();
    await rotate(tested, { token, id, current, next, compromised: true });
    const stamp = stampOf(() => tested.clock.nowMs, {});
    const used = tested.store.transaction(async (rows) => {
      const agent = await lockAgent(rows, id, stamp);
      return agent && useKey(rows, agent, current.publicKey, stamp);
    });
    await expectRejection(used, AgentAuthorityError, "bad_signature");
  });

  it("keeps agent, tasks and idempotency", async () => {
    await using tested = await TestedAuthority.start();
    const { id, key: current, token } = await tested.agent();
    const headers = { "idempotency-key": "thread-1" };
    await tested.registerTask(id, current, headers);
    const next = AgentKey.generate();
    await rotate(tested, { token, id, current, next });
    await tested.registerTask(id, next, headers);
    expect(await tested.authority.registry.listTasks({ agentRuntimeId: id })).toHaveLength(1);
    const again = await tested.registerAgent(token, next);
    expect(again.body.agent_runtime_id).toBe(id);
  });

  it("is signed for the address that the client calls, with its prefix", async () => {
    await using tested = await TestedAuthority.start();
    const { id, key: current, token } = await tested.agent();
    const prefix = "/backend-api";
    const next = AgentKey.generate();
    const wrong = { token, id, current, next, prefix, authority: tested.url };
    expectRefusal(await rotate(tested, wrong), 401, "bad_signature");
    expect((await rotate(tested, { token, id, current, next, prefix })).status).toBe(200);
    await using published = await TestedAuthority.start({
      publicUrl: "https://authority.example/a",
    });
    const agent = await published.agent();
    const options = { ...agent, current: agent.key, next: AgentKey.generate() };
    expectRefusal(await rotate(published, options), 401, "bad_signature");
    const authority = "https://authority.example/a";
    expect((await rotate(published, { ...options, authority })).status).toBe(200);
  });

  it("is won by one of two that are sent at once (G-A18)", async () => {
    await using tested = await TestedAuthority.start();
    const { id, key: current, token } = await tested.agent();
    const answers = await Promise.all(
      Array.from({ length: 6 }, () =>
        rotate(tested, { token, id, current, next: AgentKey.generate() }),
      ),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 401, 401, 401, 401, 401]);
    expect(await keysOf(tested, id)).toHaveLength(2);
  });

  it("of two agents to one new key is given to one", async () => {
    await using tested = await TestedAuthority.start();
    const agents = [await tested.agent("user-1"), await tested.agent("user-2")];
    const next = AgentKey.generate();
    const answers = await Promise.all(
      agents.map(({ id, key, token }) => rotate(tested, { token, id, current: key, next })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
  });
});

describe("revoking one's own agent", () => {
  it("takes its own human", async () => {
    await using tested = await TestedAuthority.start();
    const { id, key } = await tested.agent();
    const path = `/v1/agent/${id}/revoke`;
    expectRefusal(await tested.call("POST", path), 401, "unauthenticated");
    for (const [userId, accountId] of [
      ["user-2", "acct-1"],
      ["user-1", "acct-2"],
    ] as const) {
      const headers = { authorization: `Bearer ${await tested.token("human", userId, accountId)}` };
      expectRefusal(await tested.call("POST", path, { headers }), 404, "unknown_agent");
    }
    expect((await tested.registerTask(id, key)).status).toBe(200);
  });

  it("ends it, says so again, and says who did it", async () => {
    await using tested = await TestedAuthority.start();
    const { id, key, token } = await tested.agent();
    await tested.registerTask(id, key);
    const headers = { authorization: `Bearer ${token}` };
    for (const _ of [1, 2]) {
      const answer = await tested.call("POST", `/v1/agent/${id}/revoke`, { headers });
      expect(answer.status).toBe(200);
      expect(answer.body).toEqual({ agent_runtime_id: id, agent_state: "revoked" });
    }
    expectRefusal(await tested.registerTask(id, key), 401, "agent_revoked");
    const events = await tested.authority.registry.listAuditEvents({});
    const revoked = events.filter(({ action }) => action === "agent_revoked");
    expect(revoked).toHaveLength(1);
    expect(revoked[0]).toMatchObject({
      agentRuntimeId: id,
      actor: expect.stringMatching(/^token:/),
    });
  });

  it("does not give up a claim that its operator revoked, whose key stays barred", async () => {
    await using tested = await TestedAuthority.start();
    const { id, key, token } = await tested.agent();
    await tested.authority.registry.revokeAgent(id);
    const headers = { authorization: `Bearer ${token}` };
    const answer = await tested.call("POST", `/v1/agent/${id}/revoke`, { headers });
    expect(answer.body.agent_state).toBe("revoked");
    expect((await tested.authority.registry.getAgent(id))?.state).toBe("revoked");
    expectRefusal(await tested.registerAgent(token, key), 401, "agent_revoked");
  });

  it("deletes a claim that was never proved, so that its key stays free (G-A17)", async () => {
    await using tested = await TestedAuthority.start();
    const { id, key, token } = await tested.agent("user-2");
    const path = `/v1/agent/${id}/revoke`;
    const headers = { authorization: `Bearer ${token}` };
    const first = await tested.call("POST", path, { headers });
    expect(first.body.agent_state).toBe("revoked");
    // The first answer may have been lost. No other human learns that there was an agent.
    expect(await tested.call("POST", path, { headers })).toMatchObject({ body: first.body });
    for (const [userId, accountId] of [
      ["user-1", "acct-1"],
      ["user-2", "acct-2"],
    ] as const) {
      const stranger = `Bearer ${await tested.token("human", userId, accountId)}`;
      const answer = await tested.call("POST", path, { headers: { authorization: stranger } });
      expectRefusal(answer, 404, "unknown_agent");
    }
    expectRefusal(await tested.registerTask(id, key), 401, "unknown_agent");
    const owner = await tested.registerAgent(await tested.token(), key);
    expect((await tested.registerTask(owner.body.agent_runtime_id, key)).status).toBe(200);
    const events = await tested.authority.registry.listAuditEvents({ action: "agent_revoked" });
    expect(events.map(({ agentRuntimeId }) => agentRuntimeId)).toEqual([id]);
  });
});
