import { readdir, readFile } from "node:fs/promises";
import { AuthorityError } from "@countersign/agent-identity";
import { StoreError } from "@countersign/agent-key";
import { expectRejection, openGate, runTogether, startSource } from "@countersign/testing/vitest";
import { describe, expect, test } from "vitest";
import {
  createAuth,
  createToken,
  createTokens,
  IDENTITY_A,
  IDENTITY_C,
  openCodexAgent,
  openCodexHome,
  privateKeyOf,
} from "./support/codex-home.js";

const UPDATE = new URL("processes/update-codex.ts", import.meta.url);

describe("an identity of this login that cannot be read registers nothing, until it is forgotten", () => {
  test.each<[string, object]>([
    ["a key that is not valid", { agent_private_key: "secret-key" }],
    ["no key", { agent_private_key: undefined }],
    ["an id that would reach a path", { agent_runtime_id: "../../evil" }],
    ["an empty id", { agent_runtime_id: "" }],
  ])("%s", async (_, members) => {
    const agent_identity = { ...IDENTITY_A, ...members };
    const { manager, authority, value } = await openCodexAgent({ agent_identity });
    const error = await expectRejection(manager.ensure(), StoreError, "store_corrupt");
    expect(error.hint).toContain("forget");
    expect(error.message).not.toContain("secret");
    expect(authority.counts.registerAgent).toBe(0);
    expect(await manager.forget()).toBe(true);
    expect(await value()).not.toHaveProperty("agent_identity");
    expect((await manager.ensure())?.agentRuntimeId).toBe("agent_1");
  });
});

test("a login that cannot be read registers nothing", async () => {
  const { account_id, ...tokens } = createTokens();
  const { manager, authority } = await openCodexAgent({ tokens });
  await expectRejection(manager.ensure(), StoreError, "store_corrupt");
  expect(authority.requests).toEqual([]);
});

test("a login to Codex is an agent after one registration, which Codex finds in its place", async () => {
  const { manager, authority, text, value, beside, mode } = await openCodexAgent();
  const before = await value();
  const identity = await manager.ensure();
  expect(await manager.ensure()).toBe(identity);
  expect(authority.counts.registerAgent).toBe(1);
  const written = await value();
  expect(written).toEqual({
    ...before,
    agent_identity: {
      workspace_id: "acct-1",
      chatgpt_user_id: "user-1",
      agent_runtime_id: identity?.agentRuntimeId,
      agent_private_key: privateKeyOf(identity),
      registered_at: identity?.registeredAt,
    },
  });
  expect(await text()).toBe(JSON.stringify(written, undefined, 2));
  expect(await mode()).toBe(0o600);
  // A copy, so that what Codex puts into its one place later takes nothing away.
  expect((await beside()).identities).toMatchObject([{ state: "registered" }]);
});

test("the agent that Codex has registered is taken, in the forms of A and C", async () => {
  for (const agent_identity of [IDENTITY_A, IDENTITY_C]) {
    const { manager, authority } = await openCodexAgent({ agent_identity });
    expect((await manager.ensure())?.agentRuntimeId).toBe(agent_identity.agent_runtime_id);
    expect(authority.requests).toEqual([]);
  }
});

test("another generation's identity leaves the login usable, and is what it was after the registration", async () => {
  for (const agent_identity of [createToken({ agent_runtime_id: "agent_b" }), { later: 1 }, 7]) {
    const { manager, authority, value, text } = await openCodexAgent({ agent_identity });
    const before = await text();
    expect((await manager.ensure())?.agentRuntimeId).toBe("agent_1");
    expect(await text()).toBe(before);
    await manager.ensure();
    expect(authority.counts.registerAgent).toBe(1);
    expect((await value()).agent_identity).toEqual(agent_identity);
  }
});

test("switching A, B, A registers two agents, not three, while Codex has one place for them", async () => {
  const { manager, authority, logIn, value } = await openCodexAgent();
  const first = await manager.ensure();
  await logIn("acct-2", "user-2", { agent_identity: (await value()).agent_identity });
  const second = await manager.ensure();
  expect(second?.accountId).toBe("acct-2");
  expect((await value()).agent_identity).toMatchObject({ workspace_id: "acct-2" });
  await logIn("acct-1", "user-1", { agent_identity: (await value()).agent_identity });
  expect((await manager.ensure())?.key.publicKey.line).toBe(first?.key.publicKey.line);
  expect(authority.counts.registerAgent).toBe(2);
});

test("an agent that the authority does not know is replaced in its place", async () => {
  const { manager, authority, value } = await openCodexAgent();
  const first = await manager.ensure();
  if (first === undefined) expect.fail("no identity");
  const second = await manager.replace(first, "unknown_agent");
  expect(authority.counts.registerAgent).toBe(2);
  expect((await value()).agent_identity).toMatchObject({
    agent_runtime_id: second?.agentRuntimeId,
    agent_private_key: privateKeyOf(second),
  });
});

test("the key is stored before it is sent to the authority, and the next try continues with it", async () => {
  const { manager, authority, value, beside } = await openCodexAgent();
  authority.fault("register_agent", { kind: "lose" }, 3);
  await expectRejection(manager.ensure(), AuthorityError, "unreachable");
  expect(await value()).not.toHaveProperty("agent_identity");
  const [pending] = (await beside()).identities;
  expect(pending).toMatchObject({ state: "pending" });
  expect(privateKeyOf(await manager.ensure())).toBe(pending.private_key);
  expect(authority.agents).toHaveLength(1);
});

test("a logout while the agent is registered is not undone", async () => {
  const { manager, authority, write, value } = await openCodexAgent();
  const gate = openGate();
  authority.fault("register_agent", { kind: "hold", until: gate.opened });
  const ensuring = manager.ensure();
  await expect.poll(() => authority.counts.registerAgent, { timeout: 20_000 }).toBe(1);
  await write({});
  gate.open();
  expect(await ensuring).toBeUndefined();
  expect(await value()).toEqual({});
});

test("no change of several processes at once is lost, and no member of the file", async () => {
  const { root, home, file, reopen } = await openCodexHome({ ...createAuth(), later: [1] });
  const names = ["a", "b", "c", "d"];
  const authority = "https://authority.example";
  const results = await runTogether(
    names.map((name) => () => startSource(UPDATE, authority, root, home, name)),
  );
  for (const { code, stderr } of results) expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const { identities } = await reopen().load();
  expect(identities.map(({ user_id }) => user_id).sort()).toEqual(
    names.flatMap((name) => Array.from({ length: 10 }, (_, i) => `${name}${i}`)).sort(),
  );
  expect(JSON.parse(await readFile(file, "utf8"))).toEqual({ ...createAuth(), later: [1] });
  expect((await readdir(root)).sort()).toEqual(["auth.json", "home"]);
  expect(await readdir(home)).toEqual(["credentials.json"]);
}, 60_000);
