import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { expectFailure } from "../../test/expect-rejection.js";
import { agent, NOW, otherKey, task } from "../../test/fixtures.js";
import type { LifeState } from "../directory/agent-directory.js";
import { createDirectoryRecord, parseDirectoryRecord } from "./directory-record.js";

const good = createDirectoryRecord(agent, task);

describe("parseDirectoryRecord", () => {
  test.each([
    undefined,
    null,
    [],
    "",
    {},
    { ...good, agent_runtime_id: "a:b" },
    { ...good, agent_runtime_id: undefined },
    { ...good, account_id: "a b" },
    { ...good, user_id: "" },
    { ...good, capabilities: "responses" },
    { ...good, capabilities: [""] },
    { ...good, capabilities: ["c".repeat(257)] },
    { ...good, capabilities: ["\u{1f600}".repeat(257)] },
    { ...good, agent_public_keys: [] },
    { ...good, agent_public_keys: ["ssh-rsa AAAA"] },
    { ...good, agent_public_keys: Array(9).fill(good.agent_public_keys[0]) },
    { ...good, agent_state: "paused" },
    { ...good, agent_state: undefined },
    { ...good, expires_at: "tomorrow" },
    { ...good, expires_at: 1 },
    { ...good, expires_at: null },
    { ...good, task: {} },
    { ...good, task: { task_id: "..", state: "active" } },
    { ...good, task: { task_id: "task-1", state: "Active" } },
    { ...good, task: { task_id: "task-1", state: "active", expires_at: "2026-02-30T00:00:00Z" } },
  ])("refuses an answer that is not of the protocol's form %#", async (body) => {
    await expectFailure(() => parseDirectoryRecord(body), "bad_response");
  });

  test("refuses a public key of small order", async () => {
    const blob = Buffer.concat([
      Buffer.from("0000000b7373682d6564323535313900000020", "hex"),
      Buffer.from([1]),
      Buffer.alloc(31),
    ]);
    const line = `ssh-ed25519 ${blob.toString("base64")}`;
    const body = { ...good, agent_public_keys: [line] };
    await expectFailure(() => parseDirectoryRecord(body), "bad_response");
  });

  test("takes each capability that a registration can ask for: of 256 characters, of two UTF-16 units each too", () => {
    const capabilities = ["c".repeat(256), "\u{1f600}".repeat(256)];
    expect(parseDirectoryRecord({ ...good, capabilities }).agent).toMatchObject({ capabilities });
  });

  test("takes an answer without a task, and ignores unknown members", () => {
    const { task: _, ...without } = good;
    for (const body of [without, { ...good, task: null }, { ...without, more: 1 }]) {
      expect(parseDirectoryRecord(body)).toEqual({
        agent: { ...agent, publicKeys: [expect.anything()], expiresAt: undefined },
        task: undefined,
      });
    }
  });
});

describe("createDirectoryRecord", () => {
  test("writes the members of the protocol", () => {
    expect(
      createDirectoryRecord({ ...agent, expiresAt: NOW + 999 }, { ...task, expiresAt: NOW }),
    ).toEqual({
      agent_runtime_id: "agent-1",
      account_id: "acct-1",
      user_id: "user-1",
      capabilities: ["responses"],
      agent_public_keys: [agent.publicKeys[0]?.line],
      agent_state: "active",
      expires_at: "2026-04-15T17:08:09Z",
      task: { task_id: "task-1", state: "active", expires_at: "2026-04-15T17:08:09Z" },
    });
    expect(createDirectoryRecord(agent).task).toBeNull();
  });

  test("is read back as it was", () => {
    const state = fc.constantFrom<LifeState>("active", "revoked", "expired");
    const end = fc.option(
      fc.integer({ min: 0, max: 4e9 }).map((s) => s * 1000),
      { nil: undefined },
    );
    const publicKeys = [...agent.publicKeys, otherKey.publicKey];
    fc.assert(
      fc.property(state, end, state, end, (agentState, agentEnd, taskState, taskEnd) => {
        const whole = { ...agent, publicKeys, state: agentState, expiresAt: agentEnd };
        const part = { ...task, state: taskState, expiresAt: taskEnd };
        const wire = JSON.parse(JSON.stringify(createDirectoryRecord(whole, part)));
        const answer = parseDirectoryRecord(wire);
        const lines = answer.agent.publicKeys.map((key) => key.line);
        expect({ ...answer.agent, publicKeys: lines }).toEqual({
          ...whole,
          publicKeys: publicKeys.map((key) => key.line),
        });
        expect(answer.task).toEqual(part);
      }),
    );
  });
});
