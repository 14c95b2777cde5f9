import { AgentKey } from "@countersign/agent-key";
import { describe, expect, it } from "vitest";
import { countLive } from "../src/store/count-live.js";
import { expectRefusal } from "./expect-refusal.js";
import { registerWithProof } from "./register-with-proof.js";
import { NOON, TestedAuthority } from "./start-authority.js";

const HOUR_MS = 3_600_000;
const EPHEMERAL = { ephemeral: true };

function registerNew(tested: TestedAuthority, token: string, body: object = {}) {
  return tested.registerAgent(token, AgentKey.generate(), body);
}

describe("the body of a registration", () => {
  it.each(["true", 1, {}, []])("is refused with ephemeral as %j", async (ephemeral) => {
    await using tested = await TestedAuthority.start();
    const answer = await registerNew(tested, await tested.token(), { ephemeral });
    expectRefusal(answer, 400, "invalid_request");
    expect(await tested.authority.registry.listAgents()).toEqual([]);
  });

  it.each([{}, { ephemeral: false }, { ephemeral: null }])(
    "of a lasting agent is as before: %j",
    async (body) => {
      await using tested = await TestedAuthority.start();
      const answer = await registerNew(tested, await tested.token(), body);
      expect(Object.keys(answer.body)).toEqual(["agent_runtime_id", "account_id", "user_id"]);
      const [entry] = await tested.authority.registry.listAgents();
      expect(entry).not.toHaveProperty("ephemeral");
    },
  );
});

describe("an ephemeral agent", () => {
  it("ends after its ttl, or after an hour, and no later than the operator allows", async () => {
    await using tested = await TestedAuthority.start({ maxEphemeralTtlSeconds: 7_200 });
    const token = await tested.token();
    for (const [ttl, seconds] of [
      [undefined, 3_600],
      [null, 3_600],
      [60, 60],
      [7_201, 7_200],
      [Number.MAX_SAFE_INTEGER, 7_200],
    ] as const) {
      const { body } = await registerNew(tested, token, { ...EPHEMERAL, ttl });
      expect(body.ephemeral).toBe(true);
      expect(Date.parse(body.expires_at)).toBe(NOON + seconds * 1_000);
    }
  });

  it("ends after six hours where nothing is configured, and never after agentTtlSeconds", async () => {
    await using tested = await TestedAuthority.start();
    const token = await tested.token();
    const { body } = await registerNew(tested, token, { ...EPHEMERAL, ttl: 86_400 });
    expect(Date.parse(body.expires_at)).toBe(NOON + 6 * HOUR_MS);
    await using beside = await tested.beside({ agentTtlSeconds: 600 });
    const shorter = await registerNew(beside, token, EPHEMERAL);
    expect(Date.parse(shorter.body.expires_at)).toBe(NOON + 600_000);
  });

  it("is shown as such, and as expired after its end, to operators and in the directory", async () => {
    await using tested = await TestedAuthority.start();
    const key = AgentKey.generate();
    const token = await tested.token();
    const { body } = await tested.registerAgent(token, key, EPHEMERAL);
    const id: string = body.agent_runtime_id;
    expect((await tested.registerTask(id, key)).status).toBe(200);
    const { registry } = tested.authority;
    expect(await registry.getAgent(id)).toMatchObject({ ephemeral: true, state: "active" });
    tested.clock.nowMs += HOUR_MS;
    expect(await registry.getAgent(id)).toMatchObject({ ephemeral: true, state: "expired" });
    expect((await tested.call("GET", `/v1/agent/${id}`)).body.agent_state).toBe("expired");
    expectRefusal(await tested.registerTask(id, key), 401, "agent_expired");
  });

  it("is counted apart from lasting agents, and both limits hold (G-A35)", async () => {
    await using tested = await TestedAuthority.start({ maxLiveAgents: 1, maxEphemeralAgents: 2 });
    const token = await tested.token();
    for (const body of [EPHEMERAL, {}, EPHEMERAL]) {
      expect((await registerNew(tested, token, body)).status).toBe(200);
    }
    const third = await registerNew(tested, token, EPHEMERAL);
    expectRefusal(third, 403, "agent_limit");
    expect(third.body.detail).toContain("2 live ephemeral agents already");
    expectRefusal(await registerNew(tested, token), 403, "agent_limit");
    // What has ended takes no place, and is in the registry all the same.
    tested.clock.nowMs += HOUR_MS;
    const later = await tested.token();
    expect((await registerNew(tested, later, EPHEMERAL)).status).toBe(200);
    expect(await tested.authority.registry.listAgents()).toHaveLength(4);
  });

  it("admits exactly as many as its limit of those that come at once (G-A35)", async () => {
    await using tested = await TestedAuthority.start({ maxEphemeralAgents: 5 });
    const token = await tested.token();
    const answers = await Promise.all(
      Array.from({ length: 12 }, () => registerNew(tested, token, EPHEMERAL)),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(5);
  });

  it("has ended if an earlier version took its end away, and gets one again with its next registration (G-A53)", async () => {
    await using tested = await TestedAuthority.start({ maxEphemeralAgents: 1 });
    const token = await tested.token();
    const key = AgentKey.generate();
    const { body } = await tested.registerAgent(token, key, EPHEMERAL);
    const id: string = body.agent_runtime_id;
    expect((await tested.registerTask(id, key)).status).toBe(200);
    // What the version before ephemeral agents writes when it renews an agent that has no lifetime.
    await tested.store.rows.updateTable("agents").set({ expires_at: null }).execute();
    const { registry } = tested.authority;
    expect(await registry.getAgent(id)).toMatchObject({ ephemeral: true, state: "expired" });
    expect(await registry.listTasks()).toMatchObject([{ state: "expired" }]);
    expect((await tested.call("GET", `/v1/agent/${id}`)).body.agent_state).toBe("expired");
    expectRefusal(await tested.registerTask(id, key), 401, "agent_expired");
    expect(await countLive(tested.store, "agents", { stepRows: 10, pauseMs: 0 })).toBe(0);
    const stopped = await registry.revokeUser("acct-1", "user-1");
    expect(stopped).toMatchObject({ stopped: { agents: 0, tasks: 0 } });
    await registry.restoreUser("acct-1", "user-1");
    const renewed = await tested.registerAgent(token, key, { ephemeral: false });
    expect(renewed.body).toMatchObject({
      agent_runtime_id: id,
      expires_at: "2026-04-15T13:00:00Z",
    });
    expect((await tested.registerTask(id, key)).status).toBe(200);
    expectRefusal(await registerNew(tested, token, EPHEMERAL), 403, "agent_limit");
  });

  it("keeps its kind while it lives, whatever a repeat says", async () => {
    await using tested = await TestedAuthority.start();
    const token = await tested.token();
    const [lasting, ephemeral] = [AgentKey.generate(), AgentKey.generate()];
    const first = await tested.registerAgent(token, lasting);
    expect((await tested.registerAgent(token, lasting, EPHEMERAL)).body).toEqual(first.body);
    const job = await tested.registerAgent(token, ephemeral, EPHEMERAL);
    expect((await tested.registerAgent(token, ephemeral, { ttl: 86_400 })).body).toEqual({
      ...job.body,
      expires_at: "2026-04-15T18:00:00Z",
    });
  });

  it("takes another kind after its end, by a repeat that proves the key", async () => {
    await using tested = await TestedAuthority.start();
    const key = AgentKey.generate();
    const { body } = await tested.registerAgent(await tested.token(), key, EPHEMERAL);
    expect((await tested.registerTask(body.agent_runtime_id, key)).status).toBe(200);
    tested.clock.nowMs += HOUR_MS;
    const token = await tested.token();
    const unproven = await tested.registerAgent(token, key);
    expect(unproven.body).toMatchObject({ ephemeral: true, expires_at: "2026-04-15T14:00:00Z" });
    tested.clock.nowMs += HOUR_MS;
    const proven = await registerWithProof(tested, await tested.token(), key);
    expect(proven.body.agent_runtime_id).toBe(body.agent_runtime_id);
    expect(proven.body).not.toHaveProperty("ephemeral");
    expect(proven.body).not.toHaveProperty("expires_at");
  });

  it("is covered by the registration proof: one that was taken out of a proven body is refused", async () => {
    await using tested = await TestedAuthority.start();
    const token = await tested.token();
    const key = AgentKey.generate();
    const changed = await registerWithProof(tested, token, key, EPHEMERAL, (body) => ({
      ...body,
      ephemeral: undefined,
    }));
    expectRefusal(changed, 401, "bad_signature");
    const whole = await registerWithProof(tested, token, key, EPHEMERAL);
    expect(whole.body.ephemeral).toBe(true);
  });
});
