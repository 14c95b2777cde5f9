import { setImmediate } from "node:timers/promises";
import { AgentKey, AgentKeyError, StoreError } from "@countersign/agent-key";
import { expectRejection, openGate } from "@countersign/testing/vitest";
import { describe, expect, test } from "vitest";
import { onceAtStep } from "../test/support/identity-steps.js";
import { openManager } from "../test/support/manager.js";
import type { AgentIdentity } from "./agent-identity.js";
import { AgentIdentityError } from "./agent-identity-error.js";
import { AgentIdentityManager } from "./agent-identity-manager.js";
import { fixedAuth } from "./auth.js";
import { AuthorityError } from "./authority-error.js";
import { AuthorityClient } from "./client/authority-client.js";
import type { CredentialStore, Credentials } from "./credential-store.js";
import type { IdentityOwner } from "./identity-index.js";
import { memoryStore } from "./store/memory-store.js";

const unusable: CredentialStore = {
  description: "unusable",
  load: () => expect.fail("the store was read"),
  update: () => expect.fail("the store was changed"),
  withLock: () => expect.fail("the store was locked"),
};

test("refuses a wrong authority, and a client for another one, at once", () => {
  const features = { isEnabled: () => true };
  const options = { auth: { current: () => undefined }, store: memoryStore(), features };
  const client = new AuthorityClient({ authority: "https://other.example" });
  for (const wrong of [
    { authority: "authority.example" },
    { authority: "http://authority.example" },
    { authority: "https://authority.example", client },
  ]) {
    expect(() => new AgentIdentityManager({ ...options, ...wrong })).toThrow(AgentKeyError);
  }
});

test("with the feature off it touches neither store, auth nor network", async () => {
  const auth = { current: () => expect.fail("the auth was read") };
  const { manager, authority, flag } = await openManager({ store: unusable, auth });
  flag.on = false;
  const identity = { authority: authority.url } as AgentIdentity;
  expect(manager.enabled).toBe(false);
  expect(await manager.ensure()).toBeUndefined();
  expect(await manager.peek()).toBeUndefined();
  expect(await manager.replace(identity, "unknown_agent")).toBeUndefined();
  manager.start();
  await manager.close();
  expect(authority.requests).toEqual([]);
});

test("without a login there is no identity, and nothing is asked for", async () => {
  const { manager, authority } = await openManager({ store: unusable, isLoggedIn: false });
  expect(await manager.auth()).toBeUndefined();
  expect(await manager.ensure()).toBeUndefined();
  expect(await manager.peek()).toBeUndefined();
  expect(await manager.forget()).toBe(false);
  expect(authority.requests).toEqual([]);
});

test("refuses account and user ids that are not valid, before anything is stored or sent", async () => {
  const { manager, authority, auth } = await openManager({ store: unusable });
  for (const ids of [
    { accountId: "", userId: "user-1" },
    { accountId: "acct-1", userId: "user 1" },
    { accountId: "acct,1", userId: "user-1" },
    { accountId: "acct-1", userId: "x".repeat(257) },
  ]) {
    auth.set({ kind: "human", accessToken: "t", ...ids });
    const error = await expectRejection(manager.ensure(), AgentIdentityError, "invalid_request");
    expect(error.hint).toContain("printable ASCII characters");
  }
  expect(authority.requests).toEqual([]);
});

describe("registers", () => {
  test("once, and gives the same object ever after", async () => {
    const { manager, authority } = await openManager();
    expect(await manager.peek()).toBeUndefined();
    const identity = await manager.ensure();
    expect(identity).toMatchObject({
      authority: authority.url,
      accountId: "acct-1",
      userId: "user-1",
      agentRuntimeId: "agent_1",
    });
    expect(identity?.registeredAt).toMatch(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/);
    expect(identity?.key.publicKey.line).toBe(authority.agents[0]?.publicKey);
    expect(await manager.ensure()).toBe(identity);
    expect(await manager.peek()).toBe(identity);
    expect(authority.counts).toMatchObject({ registerAgent: 1, biscuit: 0 });
  });

  test("by biscuit where the login says so, asking for what it was told", async () => {
    const abom = { agentVersion: "2", agentHarnessId: "mine", runningLocation: "here" };
    const options = { abom, capabilities: ["one"], ttlSeconds: 60 };
    const { manager, authority, auth, human } = await openManager(options);
    auth.set({ ...human("acct-1", "user-1"), proof: "biscuit" });
    await manager.ensure();
    expect(authority.counts).toMatchObject({ registerAgent: 1, biscuit: 1 });
    expect(authority.agents[0]).toMatchObject({
      proof: "biscuit",
      capabilities: ["one"],
      ttl: 60,
      abom: { agent_version: "2", agent_harness_id: "mine", running_location: "here" },
    });
  });

  test("once for callers that ask together, in one manager or in several on one store", async () => {
    const { manager, authority, auth, store } = await openManager();
    const other = new AgentIdentityManager({
      authority: authority.url,
      auth,
      store,
      features: { isEnabled: () => true },
    });
    const calls = [manager, manager, other, manager, other].map((one) => one.ensure());
    const identities = await Promise.all(calls);
    expect(new Set(identities.map((identity) => identity?.agentRuntimeId))).toEqual(
      new Set(["agent_1"]),
    );
    expect(authority.counts.registerAgent).toBe(1);
    await other.close();
  });

  test("as soon as auth appears, when it was started", async () => {
    const { manager, authority, auth, human } = await openManager({ isLoggedIn: false });
    manager.start();
    manager.start();
    auth.set(human("acct-1", "user-1"));
    await expect.poll(() => manager.peek()).toMatchObject({ agentRuntimeId: "agent_1" });
    await manager.close();
    auth.set(human("acct-2", "user-1"));
    await expectRejection(manager.ensure(), AgentIdentityError, "cancelled");
    expect(authority.counts.registerAgent).toBe(1);
  });

  test("not in the place of an agent that came with its key", async () => {
    const { manager, authority, auth } = await openManager({ store: unusable });
    const identity = {
      authority: authority.url,
      accountId: "acct-9",
      userId: "user-9",
      agentRuntimeId: "agent_9",
      key: AgentKey.generate(),
      registeredAt: "2026-03-23T12:00:00Z",
    };
    auth.set({ kind: "agent", identity });
    expect(await manager.ensure()).toBe(identity);
    expect(await manager.peek()).toBe(identity);
    for (const code of ["unknown_agent", "agent_expired"] as const) {
      const replacing = manager.replace(identity, code);
      const error = await expectRejection(replacing, AgentIdentityError, code);
      expect(error.hint).toContain("log in again as the human");
    }
    auth.set({ kind: "agent", identity: { ...identity, authority: "https://other.example" } });
    await expectRejection(manager.ensure(), AgentIdentityError, "config_invalid");
    await expectRejection(manager.peek(), AgentIdentityError, "config_invalid");
    expect(authority.requests).toEqual([]);
  });
});

describe("stores the key before it is sent to the authority", () => {
  test("so that nothing is sent when it cannot be stored", async () => {
    const store = {
      ...memoryStore(),
      update: () =>
        Promise.reject(new StoreError("store_denied", "read-only", { hint: "make it writable" })),
    };
    const { manager, authority } = await openManager({ store });
    await expectRejection(manager.ensure(), StoreError, "store_denied");
    expect(authority.requests).toEqual([]);
  });

  test("and it is there, pending, while the request is under way", async () => {
    const { manager, authority, store } = await openManager();
    const gate = openGate();
    authority.fault("register_agent", { kind: "hold", until: gate.opened });
    const ensuring = manager.ensure();
    await expect.poll(() => authority.counts.registerAgent).toBe(1);
    const [entry] = (await store.load()).identities;
    expect(entry?.state).toBe("pending");
    const line = AgentKey.importPkcs8(entry?.private_key ?? "").publicKey.line;
    expect(authority.requests[0]?.body).toContain(line);
    gate.open();
    await ensuring;
  });

  test("so that a lost answer is made good with the same key, and orphans nothing", async () => {
    const { manager, authority, store } = await openManager();
    authority.fault("register_agent", { kind: "lose" }, 3);
    await expectRejection(manager.ensure(), AuthorityError, "unreachable");
    const [entry] = (await store.load()).identities;
    expect(entry?.state).toBe("pending");
    expect(await manager.ensure()).toMatchObject({ agentRuntimeId: "agent_1" });
    expect(authority.agents).toHaveLength(1);
    expect((await store.load()).identities).toMatchObject([
      { state: "registered", private_key: entry?.private_key },
    ]);
  });

  test("and takes it back before it reports a plain refusal, and nothing else that stands there by then", async () => {
    const { manager, authority, store } = await openManager();
    const { update } = store;
    Object.assign(store, {
      update: async (...args: Parameters<typeof update>) => {
        await setImmediate();
        return await update(...args);
      },
    });
    const refused = { kind: "status", status: 403 } as const;
    authority.fault("register_agent", refused);
    await expectRejection(manager.ensure(), AuthorityError, "forbidden");
    expect((await store.load()).identities).toEqual([]);

    const private_key = AgentKey.generate().exportPkcs8();
    const edits: Promise<void>[] = [];
    onceAtStep(authority.url, "requesting", () => {
      const edit = ({ identities, ...rest }: Credentials): Credentials => ({
        ...rest,
        identities: identities.map((entry) => ({ ...entry, private_key })),
      });
      edits.push(update(edit).then(() => undefined));
    });
    authority.fault("register_agent", refused);
    await expectRejection(manager.ensure(), AuthorityError, "forbidden");
    await Promise.all(edits);
    expect((await store.load()).identities).toMatchObject([{ state: "pending", private_key }]);
  });

  test("and stores what came of it also when the last caller has gone", async () => {
    const { manager, authority, store } = await openManager();
    const abort = new AbortController();
    const { update } = store;
    let updates = 0;
    Object.assign(store, {
      update: (...args: Parameters<typeof update>) => {
        updates += 1;
        // The second one stores the registered agent.
        if (updates === 2) abort.abort();
        return update(...args);
      },
    });
    const ensuring = manager.ensure({ signal: abort.signal });
    expect(await ensuring.catch((error: unknown) => error)).toBe(abort.signal.reason);
    await expect.poll(() => manager.peek()).toMatchObject({ agentRuntimeId: "agent_1" });
    expect(authority.counts.registerAgent).toBe(1);
  });
});

describe("an identity is only used with the account and user it was made for:", () => {
  test("each has its own, and switching back registers nothing", async () => {
    const { manager, authority, auth, human } = await openManager();
    const first = await manager.ensure();
    auth.set(human("acct-2", "user-1"));
    expect(await manager.peek()).toBeUndefined();
    const second = await manager.ensure();
    auth.set(human("acct-1", "user-2"));
    const third = await manager.ensure();
    auth.set(human("acct-1", "user-1"));
    expect(await manager.ensure()).toMatchObject({ agentRuntimeId: first?.agentRuntimeId });
    const lines = [first, second, third].map((identity) => identity?.key.publicKey.line);
    expect(new Set(lines).size).toBe(3);
    expect(authority.counts.registerAgent).toBe(3);
  });

  test("one of another authority in the same store is not taken (G-I1)", async () => {
    const one = await openManager();
    await one.manager.ensure();
    const other = await openManager({ store: one.store });
    const identity = await other.manager.ensure();
    expect(other.authority.counts.registerAgent).toBe(1);
    expect(identity?.key.publicKey.line).not.toBe(one.authority.agents[0]?.publicKey);
  });

  test("an answer for another account or user is refused, and nothing of it is stored (G-I3)", async () => {
    const { manager, authority, store } = await openManager();
    const id = { agent_runtime_id: "agent_7" };
    for (const others of [{ account_id: "acct-2" }, { user_id: "user-2" }]) {
      authority.fault("register_agent", { kind: "answer", body: { ...id, ...others } });
      await expectRejection(manager.ensure(), AgentIdentityError, "bad_response");
    }
    expect((await store.load()).identities).toMatchObject([{ state: "pending" }]);
    expect(await manager.peek()).toBeUndefined();
  });

  test("an answer that repeats neither is taken", async () => {
    const { manager, authority } = await openManager();
    authority.fault("register_agent", { kind: "answer", body: { agent_runtime_id: "agent_7" } });
    expect(await manager.ensure()).toMatchObject({ agentRuntimeId: "agent_7" });
  });
});

describe("while a registration is in flight", () => {
  async function held() {
    const setup = await openManager();
    const gate = openGate();
    setup.authority.fault("register_agent", { kind: "hold", until: gate.opened });
    const ensuring = setup.manager.ensure();
    await expect.poll(() => setup.authority.counts.registerAgent).toBe(1);
    return { ...setup, ensuring, gate };
  }

  test("a logout wins: no identity is given, and what was made stays stored for later (G-I4)", async () => {
    const { manager, authority, auth, human, ensuring, gate } = await held();
    auth.set(undefined);
    gate.open();
    expect(await ensuring).toBeUndefined();
    expect(await manager.peek()).toBeUndefined();
    auth.set(human("acct-1", "user-1"));
    expect(await manager.ensure()).toMatchObject({ agentRuntimeId: "agent_1" });
    expect(authority.counts.registerAgent).toBe(1);
  });

  test("a switch wins: the identity given is that of the new login", async () => {
    const { auth, human, ensuring, gate } = await held();
    auth.set(human("acct-2", "user-2"));
    gate.open();
    expect(await ensuring).toMatchObject({ accountId: "acct-2", userId: "user-2" });
  });

  test("a switch wins also over the failure of the old login's registration", async () => {
    const { authority, auth, human, manager } = await openManager();
    const gate = openGate();
    authority.fault("register_agent", { kind: "hold", until: gate.opened });
    const old = await manager.auth();
    if (old?.kind !== "human") return expect.fail("a human is logged in");
    authority.removeHuman(old.accessToken);
    const ensuring = manager.ensure();
    await expect.poll(() => authority.counts.registerAgent).toBe(1);
    auth.set(human("acct-2", "user-2"));
    gate.open();
    expect(await ensuring).toMatchObject({ accountId: "acct-2" });
  });

  test("a newer token of the same login is tried when the older one was refused", async () => {
    const { authority, auth, human, manager } = await openManager();
    auth.set({ kind: "human", accountId: "acct-1", userId: "user-1", accessToken: "stale" });
    const gate = openGate();
    authority.fault("register_agent", { kind: "hold", until: gate.opened });
    const ensuring = manager.ensure();
    await expect.poll(() => authority.counts.registerAgent).toBe(1);
    auth.set(human("acct-1", "user-1"));
    gate.open();
    expect(await ensuring).toMatchObject({ agentRuntimeId: "agent_1" });
    expect(authority.counts.registerAgent).toBe(2);
  });

  test("one caller may leave and the others still get it", async () => {
    const { manager, ensuring, gate, authority } = await held();
    const abort = new AbortController();
    const leaving = manager.ensure({ signal: abort.signal });
    abort.abort();
    expect(await leaving.catch((error: unknown) => error)).toBe(abort.signal.reason);
    gate.open();
    expect(await ensuring).toMatchObject({ agentRuntimeId: "agent_1" });
    expect(authority.counts.registerAgent).toBe(1);
  });

  test("closing ends it", async () => {
    const { manager, ensuring } = await held();
    const ended = expectRejection(ensuring, AgentIdentityError, "cancelled");
    await manager.close();
    await ended;
    await expectRejection(manager.ensure(), AgentIdentityError, "cancelled");
  });

  test("closing waits until what was under way has let go of the store", async () => {
    const { manager, store } = await openManager();
    const [asked, gate] = [openGate(), openGate()];
    const { update } = store;
    const order: string[] = [];
    Object.assign(store, {
      update: async (...args: Parameters<typeof update>) => {
        asked.open();
        await gate.opened;
        order.push("written");
        return await update(...args);
      },
    });
    const ended = expectRejection(manager.ensure(), AgentIdentityError, "cancelled");
    await asked.opened;
    const closing = manager.close().then(() => order.push("closed"));
    await ended;
    await setImmediate();
    gate.open();
    await closing;
    expect(order).toEqual(["written", "closed"]);
  });

  test("forgetting waits for it, and then forgets", async () => {
    const { manager, ensuring, gate } = await held();
    const forgetting = manager.forget();
    gate.open();
    await ensuring;
    expect(await forgetting).toBe(true);
    expect(await manager.peek()).toBeUndefined();
  });

  test("an entry that was removed underneath does not come back", async () => {
    const { store, ensuring, gate } = await held();
    await store.update((current) => ({ ...current, identities: [] }));
    const ended = expectRejection(ensuring, AgentIdentityError, "no_identity");
    gate.open();
    expect((await ended).retryable).toBe(true);
    expect((await store.load()).identities).toEqual([]);
  });
});

test("a login that changes with every look is an error, not an endless loop", async () => {
  let count = 0;
  const auth = {
    current: () => {
      count += 1;
      return {
        kind: "human",
        accountId: `acct-${count}`,
        userId: "user-1",
        accessToken: "t",
      } as const;
    },
  };
  const { manager } = await openManager({ auth });
  await expectRejection(manager.ensure(), AgentIdentityError, "not_logged_in");
});

test("an auth source that cannot be read is an error, not a logout", async () => {
  const auth = {
    current: () => Promise.reject(new StoreError("store_corrupt", "x", { hint: "y" })),
  };
  const { manager } = await openManager({ auth, store: unusable });
  await expectRejection(manager.ensure(), StoreError, "store_corrupt");
  await expectRejection(manager.peek(), StoreError, "store_corrupt");
});

describe("a failed registration is an error of its own call, with its code:", () => {
  test.each([
    [401, "agent_revoked"],
    [409, "invalid_key"],
    [401, "unauthenticated"],
  ] as const)("%i %s, and the store is as it was before", async (status, code) => {
    const { manager, authority, store } = await openManager();
    const before = await store.load();
    authority.fault("register_agent", { kind: "status", status, body: { code } });
    await expectRejection(manager.ensure(), AuthorityError, code);
    expect(await store.load()).toEqual(before);
    expect(await manager.ensure()).toMatchObject({ agentRuntimeId: "agent_1" });
  });

  test("a refusal of a key that the authority may know, and the key stays", async () => {
    const { manager, authority, store } = await openManager();
    authority.fault("register_agent", { kind: "lose" }, 1);
    const refused = { kind: "status", status: 401, body: { code: "agent_revoked" } } as const;
    authority.fault("register_agent", refused, 2);
    await expectRejection(manager.ensure(), AuthorityError, "agent_revoked");
    const { identities } = await store.load();
    expect(identities).toMatchObject([{ state: "pending" }]);
    await expectRejection(manager.ensure(), AuthorityError, "agent_revoked");
    expect((await store.load()).identities).toEqual(identities);
  });

  test("a refusal of the key that was to replace an agent, and the agent's own key is back", async () => {
    const { manager, authority, store } = await openManager();
    const old = (await manager.ensure()) ?? expect.fail("no identity");
    const before = await store.load();
    authority.fault("register_agent", { kind: "status", status: 401 });
    await expectRejection(manager.replace(old, "unknown_agent"), AuthorityError, "unauthenticated");
    expect(await store.load()).toEqual(before);
  });

  test.each([
    [429, "rate_limited"],
    [500, "server_error"],
  ] as const)("%i %s, and the next call tries again with the same key", async (status, code) => {
    const { manager, authority } = await openManager();
    authority.fault("register_agent", { kind: "status", status, body: { code } }, 3);
    await expectRejection(manager.ensure(), AuthorityError, code);
    authority.clearFaults();
    expect(await manager.ensure()).toMatchObject({ agentRuntimeId: "agent_1" });
    const keys = authority.requests.map(({ body }) => JSON.parse(body).agent_public_key);
    expect(new Set(keys).size).toBe(1);
  });
});

describe("replaces what the authority itself refused:", () => {
  test("an unknown agent by a new key and agent", async () => {
    const { manager, authority, store } = await openManager();
    const old = (await manager.ensure()) ?? expect.fail("no identity");
    authority.forgetAgent(old.agentRuntimeId);
    const fresh = await manager.replace(old, "unknown_agent");
    expect(fresh).toMatchObject({ agentRuntimeId: "agent_2", accountId: "acct-1" });
    expect(fresh?.key.publicKey.equals(old.key.publicKey)).toBe(false);
    expect(await manager.ensure()).toBe(fresh);
    expect((await store.load()).identities).toHaveLength(1);
  });

  test("an expired agent by registering the same key again", async () => {
    let time = Date.UTC(2026, 2, 23, 12);
    const { manager, authority } = await openManager({ now: () => time });
    const old = (await manager.ensure()) ?? expect.fail("no identity");
    authority.expireAgent(old.agentRuntimeId);
    time += 60_000;
    const renewed = await manager.replace(old, "agent_expired");
    expect(renewed).toMatchObject({
      agentRuntimeId: "agent_1",
      registeredAt: "2026-03-23T12:01:00Z",
    });
    expect(renewed?.key.publicKey.equals(old.key.publicKey)).toBe(true);
    expect(authority.agents[0]?.state).toBe("active");
    expect(await manager.replace(old, "agent_expired")).toBe(renewed);
    expect(authority.counts.registerAgent).toBe(2);
  });

  test("once for callers that ask together and for those that come late", async () => {
    const { manager, authority } = await openManager();
    const old = (await manager.ensure()) ?? expect.fail("no identity");
    authority.forgetAgent(old.agentRuntimeId);
    const calls = [1, 2, 3].map(() => manager.replace(old, "unknown_agent"));
    const [fresh] = await Promise.all(calls);
    expect(await manager.replace(old, "unknown_agent")).toBe(fresh);
    expect(authority.counts.registerAgent).toBe(2);
  });

  test("with the same new key, where the first try was cut off", async () => {
    const { manager, authority } = await openManager();
    const old = (await manager.ensure()) ?? expect.fail("no identity");
    authority.forgetAgent(old.agentRuntimeId);
    authority.fault("register_agent", { kind: "lose" }, 3);
    await expectRejection(manager.replace(old, "unknown_agent"), AuthorityError, "unreachable");
    expect(await manager.ensure()).toMatchObject({ agentRuntimeId: "agent_2" });
    expect(authority.agents.filter(({ state }) => state === "active")).toHaveLength(1);
  });

  test("nothing where the login is another one by now: that one's identity is given", async () => {
    const { manager, authority, auth, human, store } = await openManager();
    const old = (await manager.ensure()) ?? expect.fail("no identity");
    auth.set(human("acct-2", "user-1"));
    expect(await manager.replace(old, "unknown_agent")).toMatchObject({ accountId: "acct-2" });
    expect((await store.load()).identities).toHaveLength(2);
    auth.set(undefined);
    expect(await manager.replace(old, "unknown_agent")).toBeUndefined();
    expect(authority.counts.registerAgent).toBe(2);
  });
});

describe("an identity that cannot be read is store_corrupt, and nothing is registered in its place:", () => {
  const claim = { member: "identities", problem: "state: wrong", value: {} } as const;

  async function openWith(unreadable: Credentials["unreadable"]) {
    const setup = await openManager();
    await setup.store.update((current) => ({ ...current, unreadable }));
    return setup;
  }

  test("a registered one whose key is not valid (G-H6)", async () => {
    const { manager, store } = await openManager();
    await manager.ensure();
    await store.update((current) => ({
      ...current,
      identities: current.identities.map((entry) => ({ ...entry, private_key: "AAAA" })),
    }));
    const other = await openManager({ store });
    const again = new AgentIdentityManager({
      authority: manager.authority,
      auth: fixedAuth((await manager.auth()) ?? expect.fail("no login")),
      store,
      features: { isEnabled: () => true },
    });
    const error = await expectRejection(again.ensure(), StoreError, "store_corrupt");
    expect(error.hint).toContain("forget");
    expect(error.message).not.toContain("AAAA");
    await expectRejection(again.peek(), StoreError, "store_corrupt");
    // Others are not touched by it.
    expect(await other.manager.ensure()).toMatchObject({ agentRuntimeId: "agent_1" });
    expect(await again.forget()).toBe(true);
    expect(await again.ensure()).toMatchObject({ agentRuntimeId: "agent_2" });
  });

  test("the whole list", async () => {
    const { manager, authority } = await openWith([{ ...claim, problem: "is no list", value: 7 }]);
    await expectRejection(manager.ensure(), StoreError, "store_corrupt");
    expect(authority.requests).toEqual([]);
  });

  test("one that claims this owner, until it is forgotten", async () => {
    const { manager, authority, store } = await openManager();
    const owner = { authority: authority.url, accountId: "acct-1", userId: "user-1" };
    await store.update((current) => ({ ...current, unreadable: [{ ...claim, ...owner }] }));
    await expectRejection(manager.ensure(), StoreError, "store_corrupt");
    expect(authority.requests).toEqual([]);
    expect(await manager.forget()).toBe(true);
    expect(await manager.ensure()).toMatchObject({ agentRuntimeId: "agent_1" });
  });

  test("but one of another owner, or of an unknown owner, does not matter, and stays when this one is forgotten", async () => {
    const { manager, authority, store } = await openManager();
    const owner = { authority: authority.url, accountId: "acct-1", userId: "user-1" };
    const others = [
      ...neighboursOf(owner).map((neighbour) => ({ ...claim, ...neighbour })),
      { ...claim, ...owner, member: "login" } as const,
      claim,
    ];
    await store.update((current) => ({ ...current, unreadable: others }));
    expect(await manager.ensure()).toMatchObject({ agentRuntimeId: "agent_1" });
    expect(await manager.forget()).toBe(true);
    expect(await manager.forget()).toBe(false);
    expect((await store.load()).unreadable).toEqual(others);
  });
});

describe("forgets", () => {
  test("only the identity it is told, while it is the stored one, also with the feature off", async () => {
    const { manager, auth, human, flag, store } = await openManager();
    const first = (await manager.ensure()) ?? expect.fail("no identity");
    auth.set(human("acct-2", "user-1"));
    await manager.ensure();
    flag.on = false;
    expect(await manager.forget({ ...first, agentRuntimeId: "agent_9" })).toBe(false);
    expect(await manager.forget(first)).toBe(true);
    expect(await manager.forget(first)).toBe(false);
    expect((await store.load()).identities).toMatchObject([{ account_id: "acct-2" }]);
  });

  test("no entry that differs from its own in authority, account or user alone", async () => {
    const { manager, authority, store } = await openManager();
    await manager.ensure();
    const [mine = expect.fail("no entry")] = (await store.load()).identities;
    const owner = { authority: authority.url, accountId: "acct-1", userId: "user-1" };
    // Two authorities may issue equal ids.
    const others = neighboursOf(owner).map((neighbour) => ({
      ...mine,
      authority: neighbour.authority,
      account_id: neighbour.accountId,
      user_id: neighbour.userId,
    }));
    await store.update((current) => ({ ...current, identities: [...others, mine] }));
    const identity = (await manager.peek()) ?? expect.fail("no identity");
    expect(await manager.forget(identity)).toBe(true);
    expect(await manager.forget(identity)).toBe(false);
    expect(await manager.forget()).toBe(false);
    expect((await store.load()).identities).toEqual(others);
  });
});

/** The owners that differ from this one in one part alone. */
function neighboursOf(owner: IdentityOwner): readonly IdentityOwner[] {
  return [
    { ...owner, authority: "https://other.example" },
    { ...owner, accountId: "acct-2" },
    { ...owner, userId: "user-2" },
  ];
}
