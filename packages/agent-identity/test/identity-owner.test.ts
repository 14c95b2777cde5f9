import { headerOf } from "@countersign/testing";
import { expectRejection, openGate } from "@countersign/testing/vitest";
import { describe, expect, test } from "vitest";
import { AgentIdentityError } from "../src/agent-identity-error.js";
import { IDENTITY_STEPS, isSentBy, onceAtStep, onIdentityStep } from "./support/identity-steps.js";
import { openManager } from "./support/manager.js";

describe("a logout", () => {
  test.each(IDENTITY_STEPS)("at the step %s wins over the registration", async (step) => {
    const { manager, authority, auth, human, store } = await openManager();
    onceAtStep(authority.url, step, () => auth.set(undefined));
    expect(await manager.ensure()).toBeUndefined();
    expect(await manager.peek()).toBeUndefined();
    expect(authority.requests).toHaveLength(isSentBy(step) ? 1 : 0);
    // The login that comes back finds its one key and its one agent.
    auth.set(human("acct-1", "user-1"));
    expect(await manager.ensure()).toMatchObject({ agentRuntimeId: "agent_1" });
    expect(authority.requests).toHaveLength(1);
    expect((await store.load()).identities).toHaveLength(1);
  });

  test("before the call: nothing is read, made or sent", async () => {
    const { manager, authority, auth, store } = await openManager();
    auth.set(undefined);
    expect(await manager.ensure()).toBeUndefined();
    expect((await store.load()).identities).toEqual([]);
    expect(authority.requests).toEqual([]);
  });

  test("after the call: the identity is given no more", async () => {
    const { manager, auth } = await openManager();
    await manager.ensure();
    auth.set(undefined);
    expect([await manager.ensure(), await manager.peek()]).toEqual([undefined, undefined]);
  });
});

describe.each([
  ["account", "acct-2", "user-1"],
  ["user", "acct-1", "user-2"],
] as const)("a switch of the %s", (_, accountId, userId) => {
  test.each(IDENTITY_STEPS)(
    "at the step %s gives the new login's identity, and A -> B -> A registers two agents",
    async (step) => {
      const { manager, authority, auth, human } = await openManager();
      const first = human("acct-1", "user-1");
      const second = human(accountId, userId);
      auth.set(first);
      onceAtStep(authority.url, step, () => auth.set(second));
      const identity = await manager.ensure();
      expect(identity).toMatchObject({ accountId, userId });
      auth.set(first);
      expect(await manager.ensure()).toMatchObject({ accountId: "acct-1", userId: "user-1" });
      auth.set(second);
      expect(await manager.ensure()).toBe(identity);
      expect(authority.agents).toHaveLength(2);
      expect(authority.requests).toHaveLength(2);
      // Each agent was registered with its own human's token and key.
      for (const agent of authority.agents) {
        const mine = agent.userId === userId && agent.accountId === accountId ? second : first;
        const request = authority.requests.find(({ body }) => body.includes(agent.publicKey));
        const sent = request === undefined ? undefined : headerOf(request, "authorization");
        expect(sent).toBe(`Bearer ${mine.accessToken}`);
      }
    },
  );
});

describe("a new token of the same login", () => {
  test.each(IDENTITY_STEPS)("at the step %s changes nothing but the token", async (step) => {
    const { manager, authority, auth, human } = await openManager();
    const old = human("acct-1", "user-1");
    const fresh = human("acct-1", "user-1");
    auth.set(old);
    onceAtStep(authority.url, step, () => auth.set(fresh));
    expect(await manager.ensure()).toMatchObject({ agentRuntimeId: "agent_1" });
    expect(authority.requests).toHaveLength(1);
    const sent = headerOf(authority.requests[0] ?? expect.fail(), "authorization");
    // The one of the moment in which it is sent.
    expect(sent).toBe(`Bearer ${(isSentBy(step) ? old : fresh).accessToken}`);
  });
});

describe("a switch while the authority keeps the first login's answer back", () => {
  test("leaves the late answer to the login it was for", async () => {
    const { manager, authority, auth, human, store } = await openManager();
    const gate = openGate();
    authority.fault("register_agent", { kind: "hold", until: gate.opened });
    const late = manager.ensure();
    await expect.poll(() => authority.counts.registerAgent).toBe(1);
    auth.set(human("acct-2", "user-2"));
    const fresh = await manager.ensure();
    gate.open();
    expect(await late).toBe(fresh);
    const { identities } = await store.load();
    const found = identities.map((entry) => [entry.account_id, entry.agent_runtime_id]).sort();
    expect(found).toEqual([
      ["acct-1", "agent_2"],
      ["acct-2", "agent_1"],
    ]);
  });
});

describe("started, it follows the auth:", () => {
  test("each login and switch registers once, a logout nothing, and closing ends it", async () => {
    const { manager, authority, auth, human } = await openManager({ isLoggedIn: false });
    const registered: string[] = [];
    onIdentityStep(authority.url, ({ event, accountId }) => {
      if (event === "registered") registered.push(accountId);
    });
    manager.start();
    auth.set(human("acct-1", "user-1"));
    await expect.poll(() => registered).toEqual(["acct-1"]);
    auth.set(undefined);
    auth.set(human("acct-2", "user-1"));
    await expect.poll(() => registered).toEqual(["acct-1", "acct-2"]);
    auth.set(human("acct-1", "user-1"));
    expect(await manager.ensure()).toMatchObject({ agentRuntimeId: "agent_1" });
    await manager.close();
    auth.set(human("acct-3", "user-1"));
    await expectRejection(manager.ensure(), AgentIdentityError, "cancelled");
    expect(authority.requests).toHaveLength(2);
  });

  test("a failure in the background fails nothing that comes later", async () => {
    const { manager, authority, auth, human } = await openManager({ isLoggedIn: false });
    authority.fault("register_agent", { kind: "status", status: 403 });
    manager.start();
    auth.set(human("acct-1", "user-1"));
    await expect.poll(() => authority.requests.length).toBe(1);
    await expect
      .poll(() => manager.ensure().catch(() => undefined))
      .toMatchObject({
        agentRuntimeId: "agent_1",
      });
    expect(authority.agents).toHaveLength(1);
  });

  test("the auth that is there already counts", async () => {
    const { manager } = await openManager();
    manager.start();
    await expect.poll(() => manager.peek()).toMatchObject({ agentRuntimeId: "agent_1" });
  });
});
