import { signAssertion } from "@countersign/agent-assertion";
import { AgentKey, formatTimestamp } from "@countersign/agent-key";
import { openSealedBox } from "@countersign/agent-task/sealed-box";
import { describe, expect, it } from "vitest";
import { expectRefusal } from "./expect-refusal.js";
import { TestedAuthority } from "./start-authority.js";

const PATH = "/v1/assertion/whoami";

async function startWithTask() {
  const tested = await TestedAuthority.start();
  const { id, key } = await tested.agent();
  const { body } = await tested.registerTask(id, key);
  const taskId = Buffer.from(
    openSealedBox(Buffer.from(body.encrypted_task_id, "base64"), key),
  ).toString();
  const sign = (members: { readonly key?: AgentKey; readonly taskId?: string } = {}) =>
    signAssertion({
      ...{ key, agentRuntimeId: id, taskId },
      ...members,
      timestamp: formatTimestamp(tested.clock.nowMs),
    });
  const ask = (authorization: string, prefix = "") =>
    tested.call("GET", prefix + PATH, { headers: { authorization } });
  return { tested, id, taskId, sign, ask };
}

describe("an agent that asks whether its own assertion holds", () => {
  it("is refused with the first check that failed, and named only once its signature held (G-A20)", async () => {
    const { tested, id, taskId, sign, ask } = await startWithTask();
    await using _ = tested;
    const { registry } = tested.authority;
    expectRefusal(await tested.call("GET", PATH), 401, "missing");
    const human = `Bearer ${await tested.token("human")}`;
    expectRefusal(await ask(human), 401, "missing");
    expectRefusal(await ask("AgentAssertion e30"), 401, "malformed");
    expectRefusal(await ask(sign({ key: AgentKey.generate() })), 401, "bad_signature");
    expectRefusal(await ask(sign({ taskId: "task_other" })), 401, "unknown_task");
    const field = sign();
    await registry.revokeTask(taskId);
    expectRefusal(await ask(field), 401, "task_revoked");
    await registry.revokeAgent(id);
    expectRefusal(await ask(field), 401, "agent_revoked");
    tested.clock.nowMs += 301_000;
    expectRefusal(await ask(field), 401, "expired");
    const events = (await registry.listAuditEvents()).filter(({ action }) => action === "whoami");
    expect(events.map(({ code, actor }) => [code, actor])).toEqual([
      ["missing", undefined],
      ["missing", undefined],
      ["malformed", undefined],
      ["bad_signature", undefined],
      ["unknown_task", `agent:${id}`],
      ["task_revoked", `agent:${id}`],
      ["agent_revoked", `agent:${id}`],
      ["expired", undefined],
    ]);
  });

  it("is told whose it is, under both prefixes, and nothing is kept", async () => {
    const { tested, id, taskId, sign, ask } = await startWithTask();
    await using _ = tested;
    for (const prefix of ["", "/backend-api"]) {
      const answer = await ask(sign(), prefix);
      expect(answer.status).toBe(200);
      expect(answer.headers["cache-control"]).toBe("no-store");
      expect(answer.body).toEqual({
        agent_runtime_id: id,
        task_id: taskId,
        account_id: "acct-1",
        user_id: "user-1",
      });
    }
  });
});
