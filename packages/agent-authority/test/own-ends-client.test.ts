import { AuthorityClient, AuthorityError } from "@countersign/agent-identity/authority-client";
import { type AgentKey, AgentKeyError, type AgentSigner } from "@countersign/agent-key";
import { openSealedBox } from "@countersign/agent-task/sealed-box";
import { expectRejection } from "@countersign/testing/vitest";
import { describe, expect, it } from "vitest";
import { TestedAuthority } from "./start-authority.js";

const TEN_MINUTES_MS = 600_000;

interface Started {
  readonly tested: TestedAuthority;
  readonly agentRuntimeId: string;
  readonly key: AgentKey;
  readonly taskId: string;
}

async function start(): Promise<Started> {
  const tested = await TestedAuthority.start();
  const { id, key } = await tested.agent();
  const { body } = await tested.registerTask(id, key);
  const box = Buffer.from(body.encrypted_task_id, "base64");
  const taskId = Buffer.from(openSealedBox(box, key)).toString();
  return { tested, agentRuntimeId: id, key, taskId };
}

/** A client whose clock is wrong by this much, and whose first answers are lost. */
function openClient(tested: TestedAuthority, { offMs = 0, lost = 0 } = {}) {
  let left = lost;
  let requests = 0;
  const client = new AuthorityClient({
    authority: tested.url,
    now: () => tested.clock.nowMs + offMs,
    fetch: async (url, options) => {
      requests += 1;
      const answer = await fetch(url, options);
      if (left === 0) return answer;
      left -= 1;
      throw new TypeError("fetch failed");
    },
  });
  return { client, requests: () => requests };
}

describe.each([
  ["behind", -TEN_MINUTES_MS],
  ["ahead", TEN_MINUTES_MS],
])("a client whose clock is ten minutes %s", (_, offMs) => {
  it("ends a task and its agent, by the authority's time (F-9, G-A53)", async () => {
    const { tested, ...end } = await start();
    await using _closed = tested;
    const { registry } = tested.authority;
    const { client, requests } = openClient(tested, { offMs });
    await client.endTask(end);
    expect(await registry.getTask(end.taskId)).toMatchObject({ state: "revoked" });
    expect(requests()).toBe(2);
    await client.endAgent(end);
    expect(await registry.getAgent(end.agentRuntimeId)).toMatchObject({ state: "revoked" });
    expect(requests()).toBe(3);
  });
});

it("a client whose clock is more than a day off hands the refusal up, after one request", async () => {
  const { tested, ...end } = await start();
  await using _ = tested;
  const { client, requests } = openClient(tested, { offMs: -2 * 86_400_000 });
  await expectRejection(client.endTask(end), AuthorityError, "expired");
  await expectRejection(client.endAgent(end), AuthorityError, "expired");
  expect(requests()).toBe(2);
});

it("a client whose first answer was lost takes an agent that is unknown then for ended (X-5)", async () => {
  await using tested = await TestedAuthority.start();
  // Its key was never proved, so that its end deletes it.
  const { id: agentRuntimeId, key } = await tested.agent();
  await openClient(tested, { lost: 1 }).client.endAgent({ agentRuntimeId, key });
  expect(await tested.authority.registry.listAgents()).toEqual([]);
  const again = openClient(tested).client.endAgent({ agentRuntimeId, key });
  await expectRejection(again, AuthorityError, "unknown_agent");
});

it("ends with its own deadline while the signer hangs, and sends nothing", async () => {
  const { tested, ...end } = await start();
  await using _ = tested;
  const key: AgentSigner = { publicKey: end.key.publicKey, sign: () => new Promise(() => {}) };
  const { client, requests } = openClient(tested);
  const begun = performance.now();
  for (const call of [client.endTask, client.endAgent]) {
    const failure = call.call(client, { ...end, key }, { deadlineMs: 400 });
    await expectRejection(failure, AgentKeyError, "signer_failed");
  }
  expect(performance.now() - begun).toBeLessThan(20_000);
  expect(requests()).toBe(0);
});
