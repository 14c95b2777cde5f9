import { setImmediate } from "node:timers/promises";
import { AgentKey, StoreError } from "@countersign/agent-key";
import { expectRejection, openGate } from "@countersign/testing/vitest";
import { describe, expect, test } from "vitest";
import type { AgentIdentity } from "../src/agent-identity.js";
import { AgentIdentityError } from "../src/agent-identity-error.js";
import { fixedAuth } from "../src/auth.js";
import { AuthorityError } from "../src/authority-error.js";
import { AuthorityClient } from "../src/client/authority-client.js";
import type { CredentialStore } from "../src/credential-store.js";
import { onIdentityStep } from "./support/identity-steps.js";
import { type ManagerSetup, openManager } from "./support/manager.js";

const REFUSAL = (status: number, code: string) =>
  ({
    kind: "status",
    status,
    headers: { "content-type": "application/problem+json" },
    body: { title: code, status, code },
  }) as const;

/** A manager with its agent, and what the store and the authority have of it. */
async function openAgent(options: Parameters<typeof openManager>[0] = {}) {
  const opened = await openManager(options);
  const identity = await opened.manager.ensure();
  if (identity === undefined) throw new Error("no agent");
  const stored = async () => (await opened.store.load()).identities;
  const keys = () => {
    const [{ publicKey = "", formerKeys = [], endedKeys = [] } = {}] = opened.authority.agents;
    return { publicKey, formerKeys, endedKeys };
  };
  return { ...opened, identity, line: identity.key.publicKey.line, stored, keys };
}

const lineOf = (identity: AgentIdentity | undefined) => identity?.key.publicKey.line;

async function editEntry(store: CredentialStore, change: object): Promise<void> {
  await store.update((current) => ({
    ...current,
    identities: current.identities.map((entry) => ({ ...entry, ...change })),
  }));
}

describe("a rotation is not begun", () => {
  test("without an agent", async () => {
    const { manager, authority } = await openManager();
    const error = await expectRejection(manager.rotate(), AgentIdentityError, "no_identity");
    expect(error).toMatchObject({ retryable: false, hint: "register it first" });
    expect(authority.requests).toEqual([]);
  });

  test("with the feature off, or without a login", async () => {
    const { manager, auth, flag, authority, identity } = await openAgent();
    flag.on = false;
    expect(await manager.rotate()).toBeUndefined();
    expect(await manager.finishRotation(identity)).toBeUndefined();
    flag.on = true;
    auth.set(undefined);
    expect(await manager.rotate()).toBeUndefined();
    expect(authority.counts.rotateKey).toBe(0);
  });

  test("for an agent that came with its key", async () => {
    const { authority, identity } = await openAgent();
    const auth = fixedAuth({ kind: "agent", identity });
    const other = (await openManager({ authority: authority.url, auth, client: undefined }))
      .manager;
    await expectRejection(other.rotate(), AgentIdentityError, "not_logged_in");
    expect(await other.finishRotation(identity)).toBeUndefined();
    expect(authority.counts.rotateKey).toBe(0);
  });

  test("with an unfinished one whose key cannot be read, and the agent goes on", async () => {
    const { manager, authority, store, line } = await openAgent();
    await editEntry(store, { next_private_key: "br0ken" });
    await expectRejection(manager.rotate(), StoreError, "store_corrupt");
    expect(lineOf(await manager.ensure())).toBe(line);
    expect(authority.counts.rotateKey).toBe(0);
  });
});

describe("a rotation that is refused", () => {
  test.each([
    [401, "unauthenticated"],
    [403, "forbidden"],
    [404, "invalid_request"],
    [409, "invalid_key"],
    [401, "bad_signature"],
    [401, "agent_revoked"],
  ] as const)("with %i %s leaves nothing of itself behind", async (status, code) => {
    const { manager, authority, stored, line } = await openAgent();
    authority.fault("rotate_key", REFUSAL(status, code));
    await expectRejection(manager.rotate(), AuthorityError, code);
    expect(authority.counts.rotateKey).toBe(1);
    expect(await stored()).toMatchObject([{ state: "registered" }]);
    expect((await stored())[0]).not.toHaveProperty("next_private_key");
    expect(lineOf(await manager.ensure())).toBe(line);
  });

  test.each([
    ["about another agent", { agent_runtime_id: "agent_9" }],
    ["about another key", {}],
    ["without a key", { agent_public_key: undefined }],
    ["without an end of the former key", { former_key_ends_at: undefined }],
  ])(
    "by an answer %s changes no key, and the next one goes on with the same",
    async (_, change) => {
      const { manager, authority, stored, line } = await openAgent();
      const body = {
        agent_runtime_id: "agent_1",
        agent_public_key: line,
        former_key_ends_at: null,
      };
      authority.fault("rotate_key", { kind: "answer", body: { ...body, ...change } });
      await expectRejection(manager.rotate(), AgentIdentityError, "bad_response");
      const next = (await stored())[0]?.next_private_key;
      expect(next).toEqual(expect.any(String));
      expect(lineOf(await manager.ensure())).toBe(line);
      await manager.rotate();
      expect((await stored())[0]?.private_key).toBe(next);
    },
  );

  test("after a try that may have been performed keeps its key", async () => {
    const { manager, authority, stored, keys } = await openAgent();
    authority.fault("rotate_key", { kind: "lose" });
    authority.fault("rotate_key", REFUSAL(401, "unauthenticated"));
    await expectRejection(manager.rotate(), AuthorityError, "unauthenticated");
    expect((await stored())[0]?.next_private_key).toEqual(expect.any(String));
    const rotation = await manager.rotate();
    expect(lineOf(rotation?.identity)).toBe(keys().publicKey);
    expect(keys().formerKeys).toHaveLength(1);
  });
});

test("a rotation gives the same agent a new key, and takes these steps", async () => {
  const { manager, authority, identity, line, stored, keys } = await openAgent();
  const steps: string[] = [];
  onIdentityStep(authority.url, ({ event, agentRuntimeId }) => {
    steps.push(`${event} ${agentRuntimeId}`);
  });
  const before = Date.now();
  const rotation = await manager.rotate();
  expect(steps).toEqual(
    ["rotating", "next_key_stored", "requesting", "answered", "rotated"].map(
      (event) => `${event} ${identity.agentRuntimeId}`,
    ),
  );
  expect(rotation?.identity).toMatchObject({ ...identity, key: expect.anything() });
  expect(rotation?.formerKeyEndsAt).toBeGreaterThanOrEqual(before - 1000 + 24 * 3600 * 1000);
  expect(lineOf(rotation?.identity)).not.toBe(line);
  expect(keys()).toEqual({
    publicKey: lineOf(rotation?.identity),
    formerKeys: [line],
    endedKeys: [],
  });
  expect(await manager.ensure()).toBe(rotation?.identity);
  const [entry = {}] = await stored();
  expect(Object.keys(entry)).not.toEqual(expect.arrayContaining(["next_private_key"]));
  expect(authority.counts).toMatchObject({ registerAgent: 1, rotateKey: 1 });
  // And again.
  await manager.rotate();
  expect(keys().formerKeys).toEqual([lineOf(rotation?.identity), line]);
});

test("a rotation for a compromise ends the former key at once", async () => {
  const { manager, line, keys, stored } = await openAgent();
  const rotation = await manager.rotate({ compromised: true });
  expect(rotation?.formerKeyEndsAt).toBeNull();
  expect(keys()).toMatchObject({ formerKeys: [], endedKeys: [line] });
  expect((await stored())[0]).not.toHaveProperty("compromised");
});

test("that a key is compromised stays said until its rotation is finished", async () => {
  const { manager, authority, line, keys } = await openAgent({ deadlineMs: 10_000 });
  authority.fault("rotate_key", REFUSAL(503, "server_error"), 3);
  await expectRejection(manager.rotate({ compromised: true }), AuthorityError, "server_error");
  await manager.rotate();
  expect(keys()).toMatchObject({ formerKeys: [], endedKeys: [line] });
});

test("a rotation that was performed without an answer may be repeated as one for a compromise", async () => {
  const { manager, authority, line, keys } = await openAgent();
  authority.fault("rotate_key", { kind: "lose" }, 3);
  await expectRejection(manager.rotate(), AuthorityError, "unreachable");
  expect(keys()).toMatchObject({ formerKeys: [line], endedKeys: [] });
  expect(await manager.rotate({ compromised: true })).toMatchObject({ formerKeyEndsAt: null });
  expect(keys()).toMatchObject({ formerKeys: [], endedKeys: [line] });
});

test("members that it does not know are kept", async () => {
  const { manager, store, stored } = await openAgent();
  await editEntry(store, { later: [1] });
  await manager.rotate();
  expect(await stored()).toMatchObject([{ later: [1] }]);
});

test("callers at once share one rotation", async () => {
  const { manager, authority } = await openAgent();
  const rotations = await Promise.all(Array.from({ length: 20 }, () => manager.rotate()));
  expect(new Set(rotations.map((rotation) => lineOf(rotation?.identity))).size).toBe(1);
  expect(authority.counts.rotateKey).toBe(1);
});

test("two managers of one store rotate one after the other, and both have the last key", async () => {
  const { manager, patient, authority, keys } = await openAgent();
  const other = patient();
  await Promise.all([manager.rotate(), other.rotate()]);
  expect(authority.counts.rotateKey).toBe(2);
  expect(lineOf(await manager.ensure())).toBe(keys().publicKey);
  expect(lineOf(await other.ensure())).toBe(keys().publicKey);
  expect(keys().formerKeys).toHaveLength(2);
});

test("while it is on its way the agent is given with its key of before, without waiting", async () => {
  const { manager, authority, line } = await openAgent();
  const gate = openGate();
  authority.fault("rotate_key", { kind: "hold", until: gate.opened });
  const rotating = manager.rotate();
  await expect.poll(() => authority.counts.rotateKey).toBe(1);
  expect(lineOf(await manager.ensure())).toBe(line);
  expect(lineOf(await manager.peek())).toBe(line);
  gate.open();
  const rotation = await rotating;
  expect(await manager.ensure()).toBe(rotation?.identity);
});

describe("a logout or switch while a key is rotated", () => {
  test("before the request sends nothing", async () => {
    const { manager, authority, auth } = await openAgent();
    onIdentityStep(authority.url, ({ event }) => {
      if (event === "next_key_stored") auth.set(undefined);
    });
    await expectRejection(manager.rotate(), AgentIdentityError, "cancelled");
    expect(authority.counts.rotateKey).toBe(0);
  });

  test("after it rotates no key of the other login", async () => {
    const { manager, authority, auth, human, stored } = await openAgent();
    onIdentityStep(authority.url, ({ event }) => {
      if (event === "answered") auth.set(human("acct-2", "user-2"));
    });
    await manager.rotate();
    expect(authority.counts).toMatchObject({ rotateKey: 1, registerAgent: 1 });
    expect(await stored()).toMatchObject([{ account_id: "acct-1" }]);
  });
});

test("an agent that is forgotten while its key is rotated does not come back", async () => {
  const { manager, authority, store } = await openAgent();
  onIdentityStep(authority.url, ({ event }) => {
    if (event === "answered") void store.update((current) => ({ ...current, identities: [] }));
  });
  await expectRejection(manager.rotate(), AgentIdentityError, "no_identity");
  expect((await store.load()).identities).toEqual([]);
});

test.each([
  ["its key", { private_key: AgentKey.generate().exportPkcs8() }],
  ["the key that takes over", { next_private_key: AgentKey.generate().exportPkcs8() }],
])(
  "an agent whose entry got %s from elsewhere while its key was rotated keeps that",
  async (_, change) => {
    const { manager, authority, store, stored } = await openAgent();
    const edits: Promise<void>[] = [];
    onIdentityStep(authority.url, ({ event }) => {
      if (event === "answered") edits.push(editEntry(store, change));
    });
    await expectRejection(manager.rotate(), AgentIdentityError, "no_identity");
    await Promise.all(edits);
    expect(await stored()).toMatchObject([change]);
  },
);

test("a rotation that no caller waits for any more is cancelled, and its key kept", async () => {
  const { manager, authority, stored } = await openAgent();
  authority.fault("rotate_key", { kind: "hang" });
  const leaving = new AbortController();
  const rotating = manager.rotate({ signal: leaving.signal });
  await expect.poll(() => authority.counts.rotateKey).toBe(1);
  leaving.abort();
  await expectRejection(rotating, AgentIdentityError, "cancelled");
  expect((await stored())[0]?.next_private_key).toEqual(expect.any(String));
  const hanging = manager.rotate();
  authority.fault("rotate_key", { kind: "hang" });
  await manager.close();
  await expectRejection(hanging, AgentIdentityError, "cancelled");
});

test.each([
  ["a rotation", async ({ manager }: ManagerSetup) => await manager.rotate()],
  [
    "the end of one that was cut off",
    async ({ manager, store }: ManagerSetup, identity: AgentIdentity) => {
      await editEntry(store, { next_private_key: AgentKey.generate().exportPkcs8() });
      return await manager.finishRotation(identity);
    },
  ],
])("closing waits until %s has let go of the store", async (_, run) => {
  const opened = await openAgent();
  const { manager, store, identity } = opened;
  const [asked, gate] = [openGate(), openGate()];
  const { withLock } = store;
  const order: string[] = [];
  Object.assign(store, {
    withLock: async (...args: Parameters<typeof withLock>) => {
      asked.open();
      await gate.opened;
      order.push("let go");
      return await withLock(...args);
    },
  });
  const ended = expectRejection(run(opened, identity), AgentIdentityError, "cancelled");
  await asked.opened;
  const closing = manager.close().then(() => order.push("closed"));
  await ended;
  await setImmediate();
  gate.open();
  await closing;
  expect(order).toEqual(["let go", "closed"]);
});

test.each([
  ["expired", -3600],
  ["not_yet_valid", 3600],
])("a clock that makes it %s is corrected once by the authority's", async (_, offsetSeconds) => {
  const now = () => Date.now() + offsetSeconds * 1000;
  const { manager, authority, keys } = await openAgent({ now, client: undefined });
  const rotation = await manager.rotate();
  expect(lineOf(rotation?.identity)).toBe(keys().publicKey);
  expect(authority.counts).toMatchObject({ rotateKey: 2, whoami: 1 });
  await manager.rotate();
  expect(authority.counts).toMatchObject({ rotateKey: 3, whoami: 1 });
});

test("a refusal for the time that the authority's clock does not bear out is handed up", async () => {
  const { manager, authority } = await openAgent();
  authority.fault("rotate_key", REFUSAL(401, "expired"), 2);
  await expectRejection(manager.rotate(), AuthorityError, "expired");
  expect(authority.counts).toMatchObject({ rotateKey: 1, whoami: 1 });
});

describe("finding out why a signature is not taken", () => {
  test("finds nothing where no rotation was begun", async () => {
    const { manager, identity, authority } = await openAgent();
    expect(await manager.finishRotation(identity)).toBeUndefined();
    expect(authority.counts.rotateKey).toBe(0);
  });

  test("finishes the one that was cut off", async () => {
    const { manager, identity, authority, keys } = await openAgent();
    authority.fault("rotate_key", { kind: "lose" }, 3);
    await expectRejection(manager.rotate({ compromised: true }), AuthorityError, "unreachable");
    expect(lineOf(await manager.ensure())).toBe(lineOf(identity));
    const finished = await manager.finishRotation(identity);
    expect(lineOf(finished)).toBe(keys().publicKey);
    expect(await manager.ensure()).toBe(finished);
  });

  test("returns what another process has rotated or registered, without a request", async () => {
    const { manager, patient, identity, authority } = await openAgent();
    const rotation = await patient().rotate();
    expect(lineOf(await manager.finishRotation(identity))).toBe(lineOf(rotation?.identity));
    expect(authority.counts.rotateKey).toBe(1);
  });

  test("returns the identity of the current login", async () => {
    const { manager, identity, auth, human } = await openAgent();
    auth.set(human("acct-2", "user-2"));
    expect(await manager.finishRotation(identity)).toMatchObject({ accountId: "acct-2" });
  });
});

describe("revoking one's own agent", () => {
  test("ends it", async () => {
    const { authority, identity, auth } = await openAgent();
    const client = new AuthorityClient({ authority: authority.url });
    const { accessToken } = auth.current() as { accessToken: string };
    const { agentRuntimeId } = identity;
    const revoked = await client.revokeAgent(accessToken, agentRuntimeId);
    expect(revoked).toEqual({ agentRuntimeId });
    expect(await client.revokeAgent(accessToken, agentRuntimeId)).toEqual(revoked);
    expect(authority.agents).toMatchObject([{ state: "revoked" }]);
  });

  test("is refused to somebody else, and no other answer is taken", async () => {
    const { authority, identity, human } = await openAgent();
    const client = new AuthorityClient({ authority: authority.url });
    const { accessToken } = human("acct-2", "user-2");
    const revoke = () => client.revokeAgent(accessToken, identity.agentRuntimeId);
    await expectRejection(revoke(), AuthorityError, "unknown_agent");
    const body = { agent_runtime_id: "agent_9", agent_state: "revoked" };
    authority.fault("revoke_agent", { kind: "answer", body });
    await expectRejection(revoke(), AgentIdentityError, "bad_response");
    expect(authority.agents).toMatchObject([{ state: "active" }]);
  });
});
