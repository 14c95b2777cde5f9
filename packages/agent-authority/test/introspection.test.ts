import { signAssertion } from "@countersign/agent-assertion";
import { AgentKey, formatTimestamp } from "@countersign/agent-key";
import { openSealedBox } from "@countersign/agent-task/sealed-box";
import { describe, expect, it } from "vitest";
import { expectRefusal } from "./expect-refusal.js";
import { TestedAuthority } from "./start-authority.js";

const PATH = "/v1/assertion/introspect";

async function startWithTask() {
  const tested = await TestedAuthority.start();
  const { id, key } = await tested.agent();
  const { body } = await tested.registerTask(id, key);
  const taskId = Buffer.from(
    openSealedBox(Buffer.from(body.encrypted_task_id, "base64"), key),
  ).toString();
  const authorization = (signer = key) =>
    signAssertion({
      key: signer,
      agentRuntimeId: id,
      taskId,
      timestamp: formatTimestamp(tested.clock.nowMs),
    });
  const headers = { authorization: `Bearer ${await tested.token("resource_server")}` };
  const ask = (field: unknown) =>
    tested.call("POST", PATH, { headers, body: { authorization: field } });
  return { tested, id, taskId, authorization, ask };
}

describe("introspection", () => {
  it("takes a token of a resource server, on loopback too (G-A19)", async () => {
    const { tested, authorization } = await startWithTask();
    await using _ = tested;
    const body = { authorization: authorization() };
    expectRefusal(await tested.call("POST", PATH, { body }), 401, "unauthenticated");
    for (const role of ["human", "read", "operate"] as const) {
      const headers = { authorization: `Bearer ${await tested.token(role)}` };
      expectRefusal(await tested.call("POST", PATH, { headers, body }), 401, "unauthenticated");
    }
  });

  it("rejects another form", async () => {
    const { tested, ask } = await startWithTask();
    await using _ = tested;
    for (const field of [undefined, 7, ["a"], "x".repeat(20_000)]) {
      expectRefusal(await ask(field), 400, "invalid_request");
    }
  });

  it("says why an assertion is not accepted, and names its agent only if the signature is valid (G-A19)", async () => {
    const { tested, id, taskId, authorization, ask } = await startWithTask();
    await using _ = tested;
    for (const [field, code] of [
      ["", "missing"],
      ["Bearer x", "missing"],
      ["AgentAssertion e30", "malformed"],
      [authorization(AgentKey.generate()), "bad_signature"],
    ] as const) {
      const answer = await ask(field);
      expect(answer.status).toBe(200);
      expect(answer.body).toEqual({ active: false, code });
    }
    const field = authorization();
    await tested.authority.registry.revokeTask(taskId);
    expect((await ask(field)).body).toEqual({
      active: false,
      code: "task_revoked",
      agent_runtime_id: id,
      task_id: taskId,
      account_id: "acct-1",
      user_id: "user-1",
    });
    tested.clock.nowMs += 301_000;
    expect((await ask(field)).body).toEqual({ active: false, code: "expired" });
  });

  it("names the agent that signed and its current state, and forbids caching", async () => {
    const { tested, id, taskId, authorization, ask } = await startWithTask();
    await using _ = tested;
    const answer = await ask(authorization());
    expect(answer.status).toBe(200);
    expect(answer.headers["cache-control"]).toBe("no-store");
    expect(answer.body).toEqual({
      active: true,
      authority: tested.url,
      agent_runtime_id: id,
      task_id: taskId,
      account_id: "acct-1",
      user_id: "user-1",
      capabilities: [],
      issued_at: formatTimestamp(tested.clock.nowMs),
      skew_seconds: 0,
    });
  });

  it("names the authority by its public URL", async () => {
    await using tested = await TestedAuthority.start({ publicUrl: "https://authority.example" });
    const headers = { authorization: `Bearer ${await tested.token("resource_server")}` };
    const body = { authorization: "AgentAssertion e30" };
    const answer = await tested.call("POST", PATH, { headers, body });
    expect(answer.body).toEqual({ active: false, code: "malformed" });
  });
});
