import { FakeClock, pacedBy } from "@countersign/testing";
import { expectRejection, openAuthority, openGate } from "@countersign/testing/vitest";
import { describe, expect, test } from "vitest";
import { expectTokenRefusal } from "../../test/support/expect-token-refusal.js";
import { AgentIdentityError } from "../agent-identity-error.js";
import { AgentIdentityManager } from "../agent-identity-manager.js";
import { AuthorityError } from "../authority-error.js";
import { memoryStore } from "../store/memory-store.js";
import { type IdentityJwtAuthOptions, identityJwtAuth } from "./identity-jwt-auth.js";
import { keySetUrl } from "./key-set-url.js";
import { pinnedKeySet } from "./pinned-key-set.js";
import { remoteKeySet } from "./remote-key-set.js";

const HUMAN = { accountId: "acct-1", userId: "user-1" };
const EXPIRED = { reason: "expired", code: "agent_expired", claim: "exp" } as const;

async function open(options: Partial<IdentityJwtAuthOptions> = {}) {
  const clock = new FakeClock();
  const authority = await openAuthority({ now: clock.now });
  const issued = authority.issueIdentityJwt(HUMAN);
  const held: { token: string | undefined } = { token: issued.token };
  const keySet = remoteKeySet(keySetUrl(authority.url), { now: clock.now, ...pacedBy() });
  const auth = identityJwtAuth({
    token: async () => held.token,
    keySet,
    authority: authority.url,
    now: clock.now,
    ...options,
  });
  const current = async () => await auth.current();
  const peek = async () => await auth.peek?.();
  return { clock, authority, issued, held, auth, current, peek };
}

describe("an auth by identity JWT", () => {
  test("refuses a token from its exp and 60 seconds on, without a request", async () => {
    const { clock, authority, current, peek, issued } = await open();
    await current();
    clock.advance(3_659_999);
    await current();
    await peek();
    clock.advance(1);
    await expectTokenRefusal(current(), EXPIRED, [issued.token, issued.privateKey]);
    await expectTokenRefusal(peek(), EXPIRED, [issued.token, issued.privateKey]);
    expect(authority.counts.keySet).toBe(1);
  });

  test("does not keep a failure: the next call tries again", async () => {
    const { authority, current, held } = await open();
    authority.fault("key_set", { kind: "status", status: 503 }, 3);
    await expectRejection(current(), AuthorityError, "server_error");
    expect(await current()).toMatchObject({ kind: "agent" });
    held.token = "none";
    await expectTokenRefusal(current(), { reason: "malformed", code: "malformed" });
  });

  test("verifies once for callers that come together and later, and gives them one object", async () => {
    const { authority, current, peek } = await open();
    const gate = openGate();
    authority.fault("key_set", { kind: "hold", until: gate.opened });
    const together = Promise.all(Array.from({ length: 50 }, current));
    await expect.poll(() => authority.counts.keySet).toBe(1);
    gate.open();
    const all = new Set([...(await together), await current(), await peek()]);
    expect(all.size).toBe(1);
    expect([...all][0]).toMatchObject({
      kind: "agent",
      identity: { ...HUMAN, agentRuntimeId: "agent_1", authority: authority.url },
    });
    expect(authority.requests).toHaveLength(1);
  });

  test("verifies again when the token becomes another one", async () => {
    const { authority, current, held, issued } = await open();
    const first = await current();
    held.token = authority.issueIdentityJwt({ ...HUMAN, userId: "user-2" }).token;
    expect(await current()).toMatchObject({ identity: { userId: "user-2" } });
    held.token = issued.token.slice(0, -10);
    await expectTokenRefusal(current(), { reason: "signature", code: "bad_signature" });
    held.token = issued.token;
    expect(await current()).toEqual(first);
    held.token = undefined;
    expect(await current()).toBeUndefined();
    expect(authority.counts.keySet).toBe(1);
  });

  test("takes the text itself, and a key set that sends no request", async () => {
    const { authority, issued } = await open();
    const auth = identityJwtAuth({
      token: issued.token,
      keySet: pinnedKeySet(authority.issuer.keySet),
      authority: authority.url,
      now: () => Number(issued.claims.iat) * 1000,
    });
    expect(await auth.peek?.()).toEqual(await auth.current());
    expect(authority.requests).toEqual([]);
  });

  test("a peek sends no request: there is no login until its key is known", async () => {
    const { authority, current, peek, held, issued } = await open();
    expect(await peek()).toBeUndefined();
    await current();
    const other = authority.issueIdentityJwt({ ...HUMAN, userId: "user-2" });
    held.token = other.token;
    expect(await peek()).toMatchObject({ identity: { userId: "user-2" } });
    held.token = issued.token.slice(0, -10);
    await expectTokenRefusal(peek(), { reason: "signature", code: "bad_signature" });
    held.token = authority.issuer.sign({}, { header: { kid: undefined } });
    await expectTokenRefusal(peek(), { reason: "kid", code: "malformed" });
    expect(authority.counts.keySet).toBe(1);
  });

  test("comes with its agent: the manager registers none, stores none and peeks without a request", async () => {
    const { authority, auth, clock } = await open();
    const store = memoryStore();
    const manager = new AgentIdentityManager({
      authority: authority.url,
      auth,
      store,
      features: { isEnabled: () => true },
      now: clock.now,
    });
    expect(await manager.peek()).toBeUndefined();
    expect(await manager.forget()).toBe(false);
    expect(authority.requests).toEqual([]);
    const identity = await manager.ensure();
    expect(identity?.agentRuntimeId).toBe("agent_1");
    expect(await manager.peek()).toBe(identity);
    if (identity === undefined) throw new Error("no identity");
    for (const code of ["unknown_agent", "agent_expired"] as const) {
      await expectRejection(manager.replace(identity, code), AgentIdentityError, code);
    }
    expect(authority.counts).toMatchObject({ registerAgent: 0, keySet: 1 });
    expect(await store.load()).toMatchObject({ login: null, identities: [] });
  });
});
