import { AgentKey } from "@countersign/agent-key";
import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { createRegistry, type FindOptions, openStore } from "../src/index.js";
import { createOidcIssuer } from "../src/oidc.js";
import { remoteRegistry } from "../src/remote-registry.js";
import { makeDatabaseBefore } from "./database-before.js";
import { LocalIssuer } from "./local-issuer.js";
import { agentBody, TestedAuthority } from "./start-authority.js";
import { createTestDatabase } from "./test-database.js";

const REGISTER = "/v1/agent/register";

let issuer: LocalIssuer;
let tested: TestedAuthority;

beforeEach(async () => {
  issuer = await LocalIssuer.start();
  const keepClaims = ["run_id", "workflow", "ref"];
  tested = await TestedAuthority.start({
    humans: [createOidcIssuer(issuer.options({ keepClaims }))],
  });
});
afterEach(async () => {
  await tested[Symbol.asyncDispose]();
  await issuer[Symbol.asyncDispose]();
});

async function register(claims: object, key = AgentKey.generate()): Promise<string> {
  const { status, text, body } = await tested.registerAgent(
    await issuer.token({ claims: { ...claims } }),
    key,
  );
  expect(status, text).toBe(200);
  return body.agent_runtime_id;
}

async function claimsOf(id: string): Promise<Readonly<Record<string, string>> | undefined> {
  const agent = await tested.authority.registry.getAgent(id);
  return (agent ?? expect.unreachable()).claims;
}

const valuesOf = async () => {
  const rows = await tested.store.rows
    .selectFrom("agent_claims")
    .selectAll()
    .orderBy("value")
    .execute();
  return rows.map(({ value }) => value);
};

test("a value that cannot be kept neither ends the registration nor is kept", async () => {
  const id = await register({ run_id: "a\0b", workflow: ["x"], ref: "x".repeat(513) });
  expect(await claimsOf(id)).toBeUndefined();
  expect(await valuesOf()).toEqual([]);
});

test("the claims that the operator lists are kept and shown, and no others", async () => {
  const id = await register({ run_id: 7, workflow: "CI", sha: "0a", ref: "CI" });
  const claims = { run_id: "7", workflow: "CI", ref: "CI" };
  const { registry } = tested.authority;
  expect(await claimsOf(id)).toEqual(claims);
  expect(await registry.listAgents()).toMatchObject([{ claims }]);
  expect((await registry.find(id)).agents).toMatchObject([{ claims }]);
  const remote = remoteRegistry({
    url: await tested.adminUrl(),
    token: await tested.token("operate"),
  });
  expect(await remote.getAgent(id)).toStrictEqual(await registry.getAgent(id));
  expect(await registry.revokeAgent(id)).toMatchObject({ claims });
  const headers = { authorization: `Bearer ${await tested.token("resource_server")}` };
  const seen = await tested.call("GET", `/v1/agent/${id}`, { headers });
  expect(seen.status).toBe(200);
  expect(seen.text).not.toContain("CI");
});

test("a biscuit brings the claims of the token that it was made for", async () => {
  const token = await issuer.token({ claims: { run_id: "7" } });
  const biscuit = await tested.biscuit(token, REGISTER);
  const { body } = await tested.call("POST", REGISTER, {
    headers: { "x-openai-authorization": biscuit },
    body: agentBody(AgentKey.generate()),
  });
  expect(await claimsOf(body.agent_runtime_id)).toEqual({ run_id: "7" });
});

test("a repeat replaces them while the key is not proven, and one without a proof does not afterwards", async () => {
  const key = AgentKey.generate();
  const id = await register({ run_id: "1", ref: "main" }, key);
  expect(await register({ run_id: "2", ref: "main" }, key)).toBe(id);
  expect(await claimsOf(id)).toEqual({ run_id: "2", ref: "main" });
  expect(await valuesOf()).toEqual(["2", "main"]);
  expect(await register({}, key)).toBe(id);
  expect(await claimsOf(id)).toBeUndefined();
  expect(await valuesOf()).toEqual([]);
  await register({ run_id: "3" }, key);
  expect((await tested.registerTask(id, key)).status).toBe(200);
  await register({ run_id: "4" }, key);
  expect(await claimsOf(id)).toEqual({ run_id: "3" });
  expect(await valuesOf()).toEqual(["3"]);
});

test("they go with a claim to a key that another agent proves", async () => {
  const key = AgentKey.generate();
  const claim = await register({ run_id: "1" }, key);
  const { body } = await tested.registerAgent(await tested.token("human", "user-2"), key);
  expect((await tested.registerTask(body.agent_runtime_id, key)).status).toBe(200);
  expect(await tested.authority.registry.getAgent(claim)).toBeUndefined();
  expect(await valuesOf()).toEqual([]);
});

test("an authority of before goes on with the database: it makes, renews and deletes agents, and agents of before have no claims", async () => {
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  await using before = await makeDatabaseBefore(database.url, "0012_kept_claims");
  const make = (id: string) =>
    sql`insert into agents (agent_runtime_id, account_id, user_id, public_key, x25519_public_key, capabilities, abom, state, created_at, claimed_at, proven_at)
      values (${id}, 'acct-1', 'user-1', ${id}, 'x', '[]', '{}', 'active', '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z')`.execute(
      before,
    );
  const read = (id: string) =>
    before.selectFrom("agents").selectAll().where("agent_runtime_id", "=", id).executeTakeFirst();
  await make("agent_1");
  await read("agent_1");
  await using store = await openStore(database.url);
  await read("agent_1");
  await make("agent_2");
  await store.rows
    .insertInto("agent_claims")
    .values({ agent_runtime_id: "agent_1", value: "7" })
    .execute();
  await before
    .updateTable("agents")
    .set({ abom: "{}" })
    .where("agent_runtime_id", "=", "agent_1")
    .execute();
  const agents = await createRegistry(store).listAgents();
  expect(agents.map(({ claims }) => claims)).toEqual([undefined, undefined]);
  await before.deleteFrom("agents").where("agent_runtime_id", "=", "agent_1").execute();
  expect(await store.rows.selectFrom("agent_claims").selectAll().execute()).toEqual([]);
});

describe("find", () => {
  const found = async (text: string, options?: FindOptions) => {
    const { agents } = await tested.authority.registry.find(text, options);
    return agents.map(({ agentRuntimeId }) => agentRuntimeId);
  };

  test("finds nothing by a part of a value, another case or a claim that is not kept, and nothing among events", async () => {
    await register({ run_id: "1234", sha: "0a1b" });
    for (const text of ["123", "12345", "%", "1234 ", "0a1b", "run_id"]) {
      expect(await found(text), text).toEqual([]);
    }
    expect(await found("1234", { among: "events" })).toEqual([]);
  });

  test("finds the agents that have a claim of this value, the newest first and as many as are asked for", async () => {
    const first = await register({ run_id: "1", ref: "refs/heads/main" });
    const second = await register({ run_id: "2", ref: "refs/heads/main", workflow: "My 日本 CI" });
    expect(await found("refs/heads/main")).toEqual([second, first]);
    expect(await found("My 日本 CI")).toEqual([second]);
    const { registry } = tested.authority;
    expect(await registry.find("refs/heads/main", { limit: 1 })).toMatchObject({
      agents: [{ agentRuntimeId: second }],
      more: true,
    });
    const token = await tested.token("read", "op-1", "ops");
    const remote = remoteRegistry({ url: await tested.adminUrl(), token });
    expect(await remote.find("refs/heads/main")).toStrictEqual(
      await registry.find("refs/heads/main"),
    );
  });

  test("shows the agent of an id before those that name it in a claim or a request, however many they are", async () => {
    const id = await register({});
    for (let i = 0; i < 3; i += 1) await register({ workflow: id });
    const headers = {
      authorization: `Bearer ${await tested.token("human", "user-2")}`,
      "x-request-id": id,
    };
    await tested.call("POST", REGISTER, { headers, body: agentBody(AgentKey.generate()) });
    expect(await found(id, { limit: 1 })).toEqual([id]);
    expect(new Set(await found(id))).toHaveLength(5);
    expect((await found(id))[0]).toBe(id);
  });

  test("finds for a token of some accounts their agents alone, and no fewer for the others", async () => {
    const own = await register({ ref: "main" });
    const { rows } = tested.store;
    const others = [await register({ ref: "main" }), await register({ ref: "main" })];
    await rows
      .updateTable("agents")
      .set({ account_id: "acct-2" })
      .where("agent_runtime_id", "in", others)
      .execute();
    const { token } = await tested.authority.registry.createAccessToken({
      ...{ accountId: "ops", userId: "op-1", role: "read", ttlSeconds: 60 },
      accounts: ["acct-1"],
    });
    const remote = remoteRegistry({ url: await tested.adminUrl(), token });
    const { agents, more } = await remote.find("main", { limit: 1 });
    expect(agents.map(({ agentRuntimeId }) => agentRuntimeId)).toEqual([own]);
    expect(more).toBe(false);
    expect(await found("main")).toHaveLength(3);
  });
});
