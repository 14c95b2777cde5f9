import { AssertionSigner, createVerifier } from "@countersign/agent-assertion";
import { headerAsync } from "@countersign/agent-assertion/sign-async";
import { AgentIdentityManager, memoryStore } from "@countersign/agent-identity";
import { createKeyRotationRequest } from "@countersign/agent-identity/authority-client";
import {
  identityJwtAuth,
  keySetUrl,
  pinnedKeySet,
  remoteKeySet,
  verifyIdentityJwt,
} from "@countersign/agent-identity/identity-jwt";
import { createSigningKey, signIdentityJwt } from "@countersign/agent-identity/server";
import { AgentKey, formatTimestamp } from "@countersign/agent-key";
import { AgentTaskManager } from "@countersign/agent-task";
import { expectRejection } from "@countersign/testing/vitest";
import { describe, expect, it } from "vitest";
import {
  AgentAuthorityError,
  type AuthorityOptions,
  createAuthority,
  createRegistry,
  databaseDirectory,
  type IssueIdentityOptions,
  openStore,
} from "../src/index.js";
import { expectRefusal } from "./expect-refusal.js";
import { TestedAuthority } from "./start-authority.js";
import { createTestDatabase } from "./test-database.js";

const HOUR = 3_600;
const WHO: IssueIdentityOptions = { accountId: "acct-1", userId: "user-1", ttlSeconds: HOUR };
const KEY_SET_PATHS = [
  "/backend-api/wham/agent-identities/jwks",
  "/api/codex/agent-identities/jwks",
  "/agent-identities/jwks",
] as const;

function start(options: Omit<AuthorityOptions, "store"> = {}): Promise<TestedAuthority> {
  return TestedAuthority.start({ generations: ["A", "B", "C"], ...options });
}

async function kidsOf(tested: TestedAuthority): Promise<string[]> {
  const { body } = await tested.call("GET", KEY_SET_PATHS[0]);
  return body.keys.map(({ kid }: { kid: string }) => kid);
}

/** Verified as a client does it: against the key set as it is now. */
async function open(tested: TestedAuthority, token: string) {
  const { body } = await tested.call("GET", KEY_SET_PATHS[0]);
  const now = () => tested.clock.nowMs;
  return verifyIdentityJwt(token, { keySet: pinnedKeySet(body), authority: tested.url, now });
}

async function auditOf(tested: TestedAuthority) {
  const events = await tested.authority.registry.listAuditEvents();
  return events.map(({ action, agentRuntimeId }) => [action, agentRuntimeId]);
}

function bearer(tested: TestedAuthority, token: string, method = "GET", path = "/v1/whoami") {
  return tested.call(method, path, { headers: { authorization: `Bearer ${token}` } });
}

describe("issuing an identity JWT", () => {
  it("is refused where generation B is not asked for, and nothing is made (G-A21)", async () => {
    await using tested = await TestedAuthority.start();
    const { registry } = tested.authority;
    await expectRejection(registry.issueIdentity(WHO), AgentAuthorityError, "config_invalid");
    const other = createRegistry(tested.store);
    await expectRejection(other.issueIdentity(WHO), AgentAuthorityError, "config_invalid");
    expect(await registry.listSigningKeys()).toEqual([]);
    expect(await registry.listAgents()).toEqual([]);
    for (const path of KEY_SET_PATHS) {
      expectRefusal(await tested.call("GET", path), 404, "invalid_request");
    }
  });

  it.each<[string, Partial<IssueIdentityOptions>]>([
    ["no account", { accountId: "" }],
    ["no account id", { accountId: "a b" }],
    ["no user id", { userId: 'a"b' }],
    ["a life of nothing", { ttlSeconds: 0 }],
    ["a life of a part of a second", { ttlSeconds: 1.5 }],
    ["a life of more than ten years", { ttlSeconds: 315_360_001 }],
  ])("is refused for %s", async (_, change) => {
    await using tested = await start();
    const promise = tested.authority.registry.issueIdentity({ ...WHO, ...change });
    await expectRejection(promise, AgentAuthorityError, "invalid_request");
    expect(await tested.authority.registry.listAgents()).toEqual([]);
  });

  it("is refused for claims that no reader takes, and leaves no agent without a JWT", async () => {
    await using tested = await start();
    const { registry } = tested.authority;
    for (const change of [{ planType: "" }, { email: "x".repeat(255) }, { issuer: "" }]) {
      await expect(registry.issueIdentity({ ...WHO, ...change })).rejects.toMatchObject({
        code: "invalid_request",
      });
    }
    expect(await registry.listAgents()).toEqual([]);
    expect((await auditOf(tested)).map(([action]) => action)).toEqual(["signing_key_created"]);
  });

  it("is refused for a revoked user or account, and beyond the limit of live agents", async () => {
    await using tested = await start({ maxLiveAgents: 2 });
    const { registry } = tested.authority;
    await tested.agent();
    await registry.issueIdentity(WHO);
    await expectRejection(registry.issueIdentity(WHO), AgentAuthorityError, "agent_limit");
    tested.clock.nowMs += HOUR * 1_000;
    await registry.issueIdentity(WHO);
    const revoked_at = "2026-04-15T12:00:00Z";
    await registry.issueIdentity({ ...WHO, userId: "user-2" });
    const { rows } = tested.store;
    await rows.updateTable("users").set({ revoked_at }).where("user_id", "=", "user-2").execute();
    const ofUser = registry.issueIdentity({ ...WHO, userId: "user-2" });
    await expectRejection(ofUser, AgentAuthorityError, "forbidden");
    await rows.updateTable("accounts").set({ revoked_at }).execute();
    const ofAccount = registry.issueIdentity({ ...WHO, userId: "user-3" });
    await expectRejection(ofAccount, AgentAuthorityError, "forbidden");
  });

  it("is of an agent whose key is not rotated: it would outlive the JWT", async () => {
    await using tested = await start();
    const issued = await tested.authority.registry.issueIdentity(WHO);
    const { identity } = await open(tested, issued.token);
    const next = AgentKey.generate();
    const { agentRuntimeId } = issued;
    const timestamp = formatTimestamp(tested.clock.nowMs);
    const answer = await tested.call("POST", `/v1/agent/${agentRuntimeId}/key`, {
      headers: { authorization: `Bearer ${await tested.token()}` },
      body: createKeyRotationRequest(
        { authority: tested.url, agentRuntimeId, timestamp },
        { current: identity.key, next },
      ),
    });
    expectRefusal(answer, 403, "forbidden");
    const { body } = await tested.call("GET", `/v1/agent/${agentRuntimeId}`);
    expect(body.agent_public_keys).toEqual([identity.key.publicKey.line]);
  });

  it("gives a JWT that the key set verifies, with an agent that ends when it does (G-A22)", async () => {
    await using tested = await start();
    const { registry } = tested.authority;
    const issued = await registry.issueIdentity({
      ...WHO,
      email: "user@mail.example",
      planType: "pro",
    });
    const { identity, claims } = await open(tested, issued.token);
    expect(identity).toMatchObject({
      accountId: "acct-1",
      userId: "user-1",
      agentRuntimeId: issued.agentRuntimeId,
      registeredAt: "2026-04-15T12:00:00Z",
    });
    expect(claims).toMatchObject({ email: "user@mail.example", plan_type: "pro" });
    expect(claims.exp - claims.iat).toBe(HOUR);
    expect(issued.expiresAt).toBe("2026-04-15T13:00:00Z");
    expect(await registry.listAgents()).toMatchObject([
      {
        agentRuntimeId: issued.agentRuntimeId,
        agentPublicKey: identity.key.publicKey.line,
        state: "active",
        proven: true,
        capabilities: [],
        expiresAt: "2026-04-15T13:00:00Z",
      },
    ]);
    expect(await auditOf(tested)).toEqual([
      ["signing_key_created", undefined],
      ["identity_issued", issued.agentRuntimeId],
    ]);
    tested.clock.nowMs += (HOUR - 1) * 1_000;
    expect((await tested.registerTask(issued.agentRuntimeId, identity.key)).status).toBe(200);
    tested.clock.nowMs += 1_000;
    const late = await tested.registerTask(issued.agentRuntimeId, identity.key);
    expectRefusal(late, 401, "agent_expired");
  });

  it("is cut to the operator's bound for agents", async () => {
    await using tested = await start({ agentTtlSeconds: 60 });
    const issued = await tested.authority.registry.issueIdentity(WHO);
    expect(issued.expiresAt).toBe("2026-04-15T12:01:00Z");
    const { claims } = await open(tested, issued.token);
    expect(claims.exp - claims.iat).toBe(60);
  });

  it("keeps the agent's private key nowhere (G-A22)", async () => {
    await using tested = await start();
    const { token } = await tested.authority.registry.issueIdentity(WHO);
    const { identity } = await open(tested, token);
    const { rows } = tested.store;
    const tables = ["agents", "signing_keys", "audit_events", "users", "accounts"] as const;
    const all = await Promise.all(
      tables.map((table) => rows.selectFrom(table).selectAll().execute()),
    );
    const pkcs8 = identity.key.exportPkcs8();
    expect(JSON.stringify(all)).toContain(identity.key.publicKey.line);
    for (const secret of [pkcs8, pkcs8.slice(24), token.split(".")[1]]) {
      expect(JSON.stringify(all)).not.toContain(secret);
    }
  });
});

describe("the key set", () => {
  it("is the same under the three prefixes, public members alone, to be kept for a minute", async () => {
    await using tested = await start();
    expect((await tested.call("GET", KEY_SET_PATHS[0])).body).toEqual({ keys: [] });
    const { kid } = await tested.authority.registry.issueIdentity(WHO);
    for (const path of KEY_SET_PATHS) {
      const answer = await tested.call("GET", path);
      expect(answer.status).toBe(200);
      expect(answer.headers["cache-control"]).toBe("public, max-age=60");
      expect(answer.headers["content-type"]).toMatch(/^application\/json/);
      expect(answer.body).toEqual({
        keys: [
          {
            ...{ kty: "RSA", alg: "RS256", use: "sig", kid },
            ...{ n: expect.any(String), e: "AQAB" },
          },
        ],
      });
      expectRefusal(await tested.call("POST", path), 405, "invalid_request");
    }
  });

  it("is where clients look for it, whatever base URL they are given", async () => {
    await using tested = await start();
    const { kid, token } = await tested.authority.registry.issueIdentity(WHO);
    for (const base of ["", "/backend-api"]) {
      const url = keySetUrl(tested.url + base);
      const keySet = remoteKeySet(url);
      const now = () => tested.clock.nowMs;
      const { keys } = await verifyIdentityJwt(token, { keySet, authority: tested.url, now });
      expect(keys).toMatchObject([{ kid }]);
    }
  });
});

describe("signing keys", () => {
  it("are made once, whichever process issues the first JWT", async () => {
    await using database = await createTestDatabase();
    const stores = await Promise.all([1, 2, 3].map(() => openStore(database.url)));
    const registries = stores.map((store) => createRegistry(store, { generations: ["B"] }));
    const issued = await Promise.all(registries.map((registry) => registry.issueIdentity(WHO)));
    const keys = await registries[0]?.listSigningKeys();
    expect(keys).toHaveLength(1);
    expect(new Set(issued.map(({ kid }) => kid))).toEqual(new Set([keys?.[0]?.kid]));
    const events = (await registries[0]?.listAuditEvents()) ?? [];
    expect(events.filter(({ action }) => action === "signing_key_created")).toHaveLength(1);
    for (const store of stores) await store.close();
  });

  it("are rotated with overlap: the old one stays until the last JWT that it signed has ended (G-A23)", async () => {
    await using tested = await start();
    const { registry } = tested.authority;
    await registry.issueIdentity({ ...WHO, ttlSeconds: 60 });
    const first = await registry.issueIdentity(WHO);
    await registry.issueIdentity({ ...WHO, ttlSeconds: 60 });
    const rotated = await registry.rotateSigningKey();
    expect(rotated).toMatchObject({ state: "active" });
    expect(rotated).not.toHaveProperty("retiredAt");
    expect(rotated.kid).not.toBe(first.kid);
    const second = await registry.issueIdentity(WHO);
    expect(second.kid).toBe(rotated.kid);
    expect((await kidsOf(tested)).sort()).toEqual([first.kid, second.kid].sort());
    for (const { token } of [first, second]) await open(tested, token);

    tested.clock.nowMs += (HOUR - 1) * 1_000;
    expect(await kidsOf(tested)).toContain(first.kid);
    tested.clock.nowMs += 1_000;
    expect(await kidsOf(tested)).toEqual([second.kid]);
    const byKid = new Map((await registry.listSigningKeys()).map((key) => [key.kid, key]));
    expect(byKid.get(first.kid)).toEqual({
      kid: first.kid,
      state: "ended",
      createdAt: "2026-04-15T12:00:00Z",
      retiredAt: "2026-04-15T12:00:00Z",
      lastTokenEndsAt: "2026-04-15T13:00:00Z",
    });
    expect(byKid.get(second.kid)).toMatchObject({ state: "active" });
    const actions = (await auditOf(tested)).map(([action]) => action);
    expect(actions.filter((action) => String(action).startsWith("signing"))).toEqual([
      ...["signing_key_created", "signing_key_retired", "signing_key_created"],
    ]);
  });

  it("lose their private half when they are retired, and at once their place where they signed nothing (G-A23)", async () => {
    await using tested = await start();
    const { registry } = tested.authority;
    const first = await registry.rotateSigningKey();
    const second = await registry.rotateSigningKey();
    expect(await kidsOf(tested)).toEqual([second.kid]);
    const rows = await tested.store.rows.selectFrom("signing_keys").selectAll().execute();
    const privateOf = (kid: string) => rows.find((row) => row.kid === kid)?.private_jwk;
    expect(privateOf(first.kid)).toBe("null");
    expect(JSON.parse(privateOf(second.kid) ?? "")).toHaveProperty("d");
    expect(JSON.stringify(await registry.listSigningKeys())).not.toContain('"d"');
  });

  it("stay one that signs, and verify every JWT, while several rotate and issue at once (G-A23)", async () => {
    await using database = await createTestDatabase();
    const stores = await Promise.all([1, 2].map(() => openStore(database.url)));
    const registries = stores.map((store) => createRegistry(store, { generations: ["B"] }));
    const issued = await Promise.all(
      registries.flatMap((registry) => [
        ...Array.from({ length: 5 }, () => registry.issueIdentity(WHO)),
        registry.rotateSigningKey().then(() => registry.issueIdentity(WHO)),
        registry.rotateSigningKey().then(() => registry.issueIdentity(WHO)),
      ]),
    );
    const [store] = stores;
    if (store === undefined) return expect.unreachable();
    const authority = await createAuthority({ store, generations: ["B"] });
    const { url } = await authority.listen({ host: "127.0.0.1", port: 0 });
    const keySet = remoteKeySet(keySetUrl(url));
    for (const { token } of issued) await verifyIdentityJwt(token, { keySet, authority: url });
    const keys = await authority.registry.listSigningKeys();
    expect(keys.filter(({ state }) => state === "active")).toHaveLength(1);
    await authority.close();
    for (const each of stores) await each.close();
  });
});

describe("the agent of an identity JWT", () => {
  it("works with the real client and verifier, without a human", async () => {
    await using tested = await start();
    const { token, agentRuntimeId } = await tested.authority.registry.issueIdentity(WHO);
    const now = () => tested.clock.nowMs;
    const keySet = remoteKeySet(keySetUrl(tested.url), { now });
    const auth = identityJwtAuth({ token, keySet, authority: tested.url, now });
    const features = { isEnabled: () => true };
    const identities = new AgentIdentityManager({
      ...{ authority: tested.url, auth, store: memoryStore(), features, now },
    });
    const tasks = new AgentTaskManager({ identities, now });
    const task = await tasks.ensure("thread-1");
    if (task === undefined) return expect.unreachable("no task");
    const header = await headerAsync(new AssertionSigner({ now }), { kind: "agent", ...task });
    const verifier = createVerifier({
      directory: databaseDirectory(tested.store, tested.url),
      now,
    });
    expect(await verifier.verify(header)).toMatchObject({ agentRuntimeId, accountId: "acct-1" });
    await tasks.close();
  });

  it("gets tasks wherever B is served, and where it is not none (G-A21)", async () => {
    await using tested = await start({ generations: ["A", "B"] });
    const { token, agentRuntimeId } = await tested.authority.registry.issueIdentity(WHO);
    const { key } = (await open(tested, token)).identity;
    expect((await tested.registerTask(agentRuntimeId, key)).status).toBe(200);
    await using elsewhere = await tested.beside({ generations: ["C"] });
    expectRefusal(await elsewhere.registerTask(agentRuntimeId, key), 403, "forbidden");
  });

  it("does not let others come without a biscuit where B is served and C is not", async () => {
    await using tested = await start();
    const { id, key } = await tested.agent();
    await using elsewhere = await tested.beside({ generations: ["A", "B"] });
    expectRefusal(await elsewhere.registerTask(id, key), 401, "biscuit_invalid");
  });

  it("does not outlive the JWT by a registration of its key (G-A22)", async () => {
    await using tested = await start();
    const { token } = await tested.authority.registry.issueIdentity(WHO);
    const { key } = (await open(tested, token)).identity;
    for (const userId of ["user-1", "user-2"]) {
      const answer = await tested.registerAgent(await tested.token("human", userId), key);
      expectRefusal(answer, 409, "invalid_key");
    }
    expect(await tested.authority.registry.listAgents()).toMatchObject([
      { expiresAt: "2026-04-15T13:00:00Z" },
    ]);
  });
});

describe("an identity JWT that arrives as a bearer", () => {
  it.each([
    ["GET", "/v1/whoami"],
    ["GET", "/backend-api/v1/whoami"],
    ["POST", "/v1/agent/register"],
    ["GET", "/authenticate_app_v2"],
    ["GET", "/v1/agent/agent_1"],
    ["POST", "/v1/agent/agent_1/task/register"],
    ["GET", "/nothing"],
  ])("is refused by %s %s, and its agent revoked (G-A24)", async (method, path) => {
    await using tested = await start();
    const { registry } = tested.authority;
    const { token, agentRuntimeId } = await registry.issueIdentity(WHO);
    const other = await registry.issueIdentity(WHO);
    expectRefusal(await bearer(tested, token, method, path), 401, "unauthenticated");
    expect(await registry.getAgent(agentRuntimeId)).toMatchObject({ state: "revoked" });
    expect(await registry.getAgent(other.agentRuntimeId)).toMatchObject({ state: "active" });
    const events = await registry.listAuditEvents({ agentRuntimeId });
    expect(events.filter(({ action }) => action === "agent_revoked")).toMatchObject([
      { actor: `agent:${agentRuntimeId}`, address: "127.0.0.1", requestId: expect.any(String) },
    ]);
    const { key } = (await open(tested, token)).identity;
    expectRefusal(await tested.registerTask(agentRuntimeId, key), 401, "agent_revoked");
    expectRefusal(await bearer(tested, token, method, path), 401, "unauthenticated");
  });

  it("also in the second of two lines, and in another spelling of the scheme", async () => {
    await using tested = await start();
    const { registry } = tested.authority;
    const { token, agentRuntimeId } = await registry.issueIdentity(WHO);
    const headers = { authorization: ["Bearer x", `bEARER   ${token}`] };
    expectRefusal(await tested.call("GET", "/v1/whoami", { headers }), 401, "unauthenticated");
    expect(await registry.getAgent(agentRuntimeId)).toMatchObject({ state: "revoked" });
  });

  it("also after its end, after its key's end, and where B is not served any more", async () => {
    await using tested = await start();
    const { registry } = tested.authority;
    const { token, agentRuntimeId } = await registry.issueIdentity(WHO);
    await registry.rotateSigningKey();
    tested.clock.nowMs += 2 * HOUR * 1_000;
    await using elsewhere = await tested.beside({});
    expectRefusal(await bearer(elsewhere, token), 401, "unauthenticated");
    expect(await registry.getAgent(agentRuntimeId)).toMatchObject({ state: "revoked" });
  });

  it("revokes nothing unless this authority signed it (G-A24)", async () => {
    await using tested = await start();
    const { registry } = tested.authority;
    const { token, agentRuntimeId, kid } = await registry.issueIdentity(WHO);
    const [header = "", payload = "", signature = ""] = token.split(".");
    const forger = await createSigningKey();
    const content = {
      ...{ accountId: "acct-1", userId: "user-1", agentRuntimeId },
      ...{ key: AgentKey.generate(), issuedAt: 1000, expiresAt: 2000 },
    };
    const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const flipped = `${signature.startsWith("A") ? "B" : "A"}${signature.slice(1)}`;
    for (const forged of [
      await signIdentityJwt(content, { privateKey: forger.privateJwk, kid }),
      await signIdentityJwt(content, { privateKey: forger.privateJwk, kid: forger.kid }),
      `${header}.${payload}.${flipped}`,
      `${encode({ alg: "none", kid })}.${payload}.`,
      `${encode({ alg: "HS256", kid })}.${payload}.${signature}`,
      `${encode({ alg: "RS256" })}.${payload}.${signature}`,
      `${encode({ alg: "RS256", kid: "\u0000" })}.${payload}.${signature}`,
      `${encode({ alg: "RS256", kid: 1 })}.${payload}.${signature}`,
      `${encode([])}.${payload}.${signature}`,
      `x.${payload}.${signature}`,
      "a.b.c",
    ]) {
      expectRefusal(await bearer(tested, forged), 401, "unauthenticated");
    }
    expect(await registry.getAgent(agentRuntimeId)).toMatchObject({ state: "active" });
  });

  it("is in no log, no audit event and no answer (G-A24)", async () => {
    const lines: unknown[] = [];
    const log = (...line: unknown[]) => void lines.push(line);
    await using tested = await start({ logger: { info: log, error: log } });
    const { token } = await tested.authority.registry.issueIdentity(WHO);
    const answer = await bearer(tested, token);
    const events = await tested.store.rows.selectFrom("audit_events").selectAll().execute();
    await expect.poll(() => lines.length).toBeGreaterThan(0);
    const seen = JSON.stringify([lines, events, answer.text, answer.headers]);
    for (const part of token.split(".")) expect(seen).not.toContain(part);
  });
});
