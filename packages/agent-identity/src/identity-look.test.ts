import { AgentKey, StoreError } from "@countersign/agent-key";
import { expectRejection } from "@countersign/testing/vitest";
import { beforeEach, expect, test, vi } from "vitest";
import { AgentIdentityError } from "./agent-identity-error.js";
import { AgentIdentityManager } from "./agent-identity-manager.js";
import { type AuthSource, createAuthSlot, fixedAuth } from "./auth.js";
import type { CredentialStore } from "./credential-store.js";
import { loginAuth, removeLogin, saveLogin } from "./login-auth.js";
import { memoryStore } from "./store/memory-store.js";

const AUTHORITY = "https://authority.example";
const HUMAN = { kind: "human", accountId: "acct-1", userId: "user-1", accessToken: "t" } as const;
const LOGIN = {
  authority: AUTHORITY,
  account_id: "acct-1",
  user_id: "user-1",
  kind: "human",
  proof: "bearer",
  access_token: "t",
  logged_in_at: "2026-03-23T12:00:00Z",
} as const;

function entry(user: string, key = AgentKey.generate()) {
  return {
    authority: AUTHORITY,
    account_id: "acct-1",
    user_id: user,
    private_key: key.exportPkcs8(),
    agent_runtime_id: `agent_${user}`,
    state: "registered",
  } as const;
}

let store: CredentialStore;
let loads: () => number;
let flag: boolean;

beforeEach(async () => {
  store = memoryStore();
  flag = true;
  await store.update((current) => ({
    ...current,
    login: LOGIN,
    identities: [entry("user-1"), entry("user-2")],
  }));
  const load = vi.spyOn(store, "load");
  loads = () => load.mock.calls.length;
});

function managerOf(auth: AuthSource): AgentIdentityManager {
  return new AgentIdentityManager({
    authority: AUTHORITY,
    auth,
    store,
    features: { isEnabled: () => flag },
  });
}

test("a login of the same store and its agent are of one load", async () => {
  const manager = managerOf(loginAuth(store, AUTHORITY));
  const look = await manager.look();
  expect(look.auth).toMatchObject({ kind: "human", accountId: "acct-1", userId: "user-1" });
  expect(look.identity?.agentRuntimeId).toBe("agent_user-1");
  expect(loads()).toBe(1);
  expect((await manager.look()).identity).toBe(look.identity);
  expect(await manager.peek()).toBe(look.identity);
  expect(loads()).toBe(3);
});

test("a login of its own, or of a source that was wrapped, costs no more than its own answer beside the load", async () => {
  const inner = loginAuth(store, AUTHORITY);
  for (const [auth, expected] of [
    [fixedAuth(HUMAN), 1],
    [{ current: () => inner.current() }, 2],
  ] as const) {
    const before = loads();
    expect((await managerOf(auth).look()).identity?.agentRuntimeId).toBe("agent_user-1");
    expect(loads() - before).toBe(expected);
  }
});

test("each change of login, identity or store is in the next look", async () => {
  const slot = createAuthSlot(HUMAN);
  const [own, stored] = [managerOf(slot), managerOf(loginAuth(store, AUTHORITY))];
  const agents = async () => [
    (await own.look()).identity?.agentRuntimeId,
    (await stored.look()).identity?.agentRuntimeId,
  ];
  expect(await agents()).toEqual(["agent_user-1", "agent_user-1"]);
  slot.set({ ...HUMAN, userId: "user-2" });
  await saveLogin(store, { ...LOGIN, user_id: "user-3" });
  expect(await agents()).toEqual(["agent_user-2", undefined]);
  slot.set(undefined);
  await removeLogin(store);
  expect(await own.look()).toEqual({ auth: undefined, identity: undefined });
  expect(await stored.look()).toEqual({ auth: undefined, identity: undefined });
  slot.set(HUMAN);
  const rotated = AgentKey.generate();
  await store.update((current) => ({ ...current, identities: [entry("user-1", rotated)] }));
  expect((await own.look()).identity?.key.publicKey.line).toBe(rotated.publicKey.line);
});

test("the token of a newer login of the same human is in the next look", async () => {
  const slot = createAuthSlot(HUMAN);
  const manager = managerOf(slot);
  const { identity } = await manager.look();
  slot.set({ ...HUMAN, accessToken: "newer" });
  const look = await manager.look();
  expect(look.auth?.kind === "human" && look.auth.accessToken).toBe("newer");
  expect(look.identity).toBe(identity);
});

test("what cannot be read is store_corrupt at each look, and never a logout", async () => {
  const manager = managerOf(loginAuth(store, AUTHORITY));
  await store.update((current) => ({
    ...current,
    identities: [{ ...entry("user-1"), private_key: "none" }],
  }));
  for (let i = 0; i < 2; i += 1) {
    await expectRejection(manager.look(), StoreError, "store_corrupt");
  }
});

test("an agent that came with its key needs no store, and is used with its own authority alone", async () => {
  const key = AgentKey.generate();
  const identity = {
    authority: AUTHORITY,
    accountId: "acct-1",
    userId: "user-1",
    agentRuntimeId: "agent_9",
    key,
    registeredAt: "2026-03-23T12:00:00Z",
  };
  expect((await managerOf(fixedAuth({ kind: "agent", identity })).look()).identity).toBe(identity);
  const other = { ...identity, authority: "https://other.example" };
  const look = managerOf(fixedAuth({ kind: "agent", identity: other })).look();
  await expectRejection(look, AgentIdentityError, "config_invalid");
  expect(loads()).toBe(0);
});

test("with the feature off neither login nor store is looked at", async () => {
  flag = false;
  const current = vi.fn(() => HUMAN);
  expect(await managerOf({ current }).look()).toEqual({ auth: undefined, identity: undefined });
  expect([loads(), current.mock.calls.length]).toEqual([0, 0]);
});
