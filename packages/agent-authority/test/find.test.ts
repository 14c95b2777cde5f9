import { AgentKey } from "@countersign/agent-key";
import { effort } from "@countersign/testing/effort";
import { expectRejection } from "@countersign/testing/vitest";
import { CompiledQuery, sql } from "kysely";
import { describe, expect, it, onTestFinished } from "vitest";
import {
  AgentAuthorityError,
  type AuditFilter,
  createRegistry,
  openStore,
  type Registry,
} from "../src/index.js";
import { remoteRegistry } from "../src/remote-registry.js";
import type { AuthorityStore } from "../src/store/authority-store.js";
import { seedRegistry } from "./bench/seed-registry.js";
import { expectRefusal } from "./expect-refusal.js";
import { scansOf, tapQueries } from "./query-plan.js";
import { openScratchStore, TestedAuthority } from "./start-authority.js";
import { createTestDatabase } from "./test-database.js";

const NOTHING = {
  agents: [],
  tasks: [],
  accessTokens: [],
  users: [],
  accounts: [],
  events: [],
  more: false,
};

describe("what is searched for", () => {
  it("is refused if it is empty, too long or not printable, or the limit is out of range", async () => {
    await using store = await openScratchStore();
    const registry = createRegistry(store);
    for (const text of ["", "x".repeat(513), "agent\n", "agent\0"]) {
      await expectRejection(registry.find(text), AgentAuthorityError, "invalid_request");
    }
    for (const limit of [0, 1.5, 101, Number.NaN]) {
      await expectRejection(registry.find("x", { limit }), AgentAuthorityError, "invalid_request");
    }
  });

  it("is nothing where there is nothing, whatever it is made of", async () => {
    await using tested = await TestedAuthority.start();
    await tested.agent();
    const { registry } = tested.authority;
    const keyLine = AgentKey.generate().publicKey.line;
    const texts = [
      "%",
      "_",
      "agent_%",
      "' or 1=1",
      "日本",
      "\u{10ffff}",
      "ssh-ed25519 AAAA",
      keyLine,
    ];
    for (const text of [...texts, "192.0.2.1", "::1", "2001:db8::1"]) {
      expect(await registry.find(text), text).toEqual(NOTHING);
    }
  });
});

describe("find", () => {
  it("finds agents, tasks and tokens by their ids and the beginnings of them, newest first", async () => {
    await using tested = await TestedAuthority.start();
    const { registry } = tested.authority;
    const { id, key } = await tested.agent("user-1");
    const later = await tested.agent("user-2");
    const { body: task } = await tested.registerTask(id, key);
    await tested.useNoted("user-1");
    const [token] = await registry.listAccessTokens();
    const taskId = (await registry.listTasks())[0]?.taskId ?? expect.unreachable();
    expect(task).toBeDefined();
    expect(await registry.find(id)).toEqual({ ...NOTHING, agents: [await registry.getAgent(id)] });
    expect(await registry.find(taskId)).toEqual({
      ...NOTHING,
      tasks: [await registry.getTask(taskId)],
    });
    expect(await registry.find(taskId.slice(0, -1))).toMatchObject({ tasks: [{ taskId }] });
    expect(await registry.find(token?.id ?? "")).toEqual({ ...NOTHING, accessTokens: [token] });
    const all = await registry.find("agent_");
    expect(all.agents.map(({ agentRuntimeId }) => agentRuntimeId)).toEqual([later.id, id]);
    expect(all.more).toBe(false);
    const first = await registry.find("agent_", { limit: 1 });
    expect(first).toMatchObject({ agents: [{ agentRuntimeId: later.id }], more: true });
    // One that has ended is still what it was.
    await registry.revokeAgent(id);
    expect((await registry.find(id)).agents).toMatchObject([{ state: "revoked" }]);
    expect((await registry.find(taskId)).tasks).toMatchObject([{ state: "revoked" }]);
  });

  it("finds every token of a name, the newest first and as many as are asked for, and never by a part of the name", async () => {
    await using tested = await TestedAuthority.start();
    const { registry } = tested.authority;
    const make = async (name: string, accounts?: readonly string[]) => {
      const whose = { accountId: "acct-1", userId: "ops", role: "read", ttlSeconds: 60 } as const;
      return (await registry.createAccessToken({ ...whose, name, accounts })).id;
    };
    const all = await make("nightly build");
    const limited = await make("nightly build", ["acct-1"]);
    const [found] = (await registry.find("nightly build")).accessTokens;
    expect(found).toMatchObject({ id: limited, name: "nightly build" });
    const idsOf = async (text: string, limit = 10, of: Registry = registry) =>
      (await of.find(text, { limit })).accessTokens.map(({ id }) => id);
    expect(await idsOf("nightly build")).toEqual([limited, all]);
    expect(await idsOf("nightly build", 1)).toEqual([limited]);
    expect(await registry.find("nightly build", { limit: 1 })).toMatchObject({ more: true });
    for (const text of ["nightly", "nightly build ", "Nightly build"]) {
      expect(await idsOf(text), text).toEqual([]);
    }
    expect(await registry.find("nightly build", { among: "events" })).toEqual(NOTHING);
    // The name of one is the id of another: that one comes first.
    const named = await make(all);
    expect(await idsOf(all)).toEqual([all, named]);
    const { token } = await registry.createAccessToken({
      ...{ accountId: "acct-1", userId: "ops", role: "read", ttlSeconds: 60 },
      accounts: ["acct-1"],
    });
    const remote = remoteRegistry({ url: await tested.adminUrl(), token });
    expect(await idsOf("nightly build", 10, remote)).toEqual([limited]);
  });

  it("finds users of every account and accounts, by their ids and the beginnings of them", async () => {
    await using tested = await TestedAuthority.start();
    const { registry } = tested.authority;
    const barred = { evenIfUnknown: true };
    for (const account of ["acct-1", "acct-2"])
      await registry.revokeUser(account, "user/1", barred);
    await registry.revokeUser("acct-1", "user/10", barred);
    const { users } = await registry.find("user/1");
    expect(users.map(({ accountId, userId }) => `${accountId} ${userId}`)).toEqual([
      "acct-1 user/1",
      "acct-2 user/1",
      "acct-1 user/10",
    ]);
    expect((await registry.find("acct-")).accounts).toHaveLength(2);
    expect((await registry.find("acct-2")).accounts).toMatchObject([{ accountId: "acct-2" }]);
  });

  it("finds among events nothing of which a request id or an address is only the name (G-G20)", async () => {
    await using tested = await TestedAuthority.start();
    const { registry } = tested.authority;
    const { id, key } = await tested.agent("user-1");
    for (const text of ["user-1", "acct-1", "agent_", id, key.publicKey.line]) {
      expect(await registry.find(text), text).not.toEqual(NOTHING);
      expect(await registry.find(text, { among: "events" }), text).toEqual(NOTHING);
    }
    const [event] = await registry.listAuditEvents({ action: "agent_registered" });
    const requestId = event?.requestId ?? expect.unreachable();
    const { agents } = await registry.find(requestId, { among: "events" });
    expect(agents.map(({ agentRuntimeId }) => agentRuntimeId)).toEqual([id]);
  });

  it("finds an agent by its public key, also by the key that it had before a rotation", async () => {
    await using tested = await TestedAuthority.start();
    const { registry } = tested.authority;
    const { id, key } = await tested.agent();
    const ids = async (text: string) =>
      (await registry.find(text)).agents.map(({ agentRuntimeId }) => agentRuntimeId);
    expect(await ids(key.publicKey.line)).toEqual([id]);
    expect(await ids(`${key.publicKey.line} somebody@somewhere`)).toEqual([id]);
    const former = AgentKey.generate().publicKey.line;
    await tested.store.rows
      .insertInto("former_keys")
      .values({
        public_key: former,
        agent_runtime_id: id,
        x25519_public_key: "x",
        replaced_at: "2026-01-01T00:00:00Z",
        ends_at: "2026-01-01T00:00:00Z",
      })
      .execute();
    expect(await ids(former)).toEqual([id]);
  });

  it("finds what a request was about, and never an agent that it only claimed to be", async () => {
    await using tested = await TestedAuthority.start();
    const { registry } = tested.authority;
    const { id, key } = await tested.agent();
    await tested.registerTask(id, key, { "x-request-id": "request-1" });
    const [task] = await registry.listTasks();
    const found = await registry.find("request-1");
    expect(found).toMatchObject({
      agents: [{ agentRuntimeId: id }],
      tasks: [{ taskId: task?.taskId }],
    });
    expect(found.events.at(0)).toMatchObject({ action: "task_registered", requestId: "request-1" });
    const refused = await tested.registerTask(id, AgentKey.generate(), {
      "x-request-id": "request-2",
    });
    expect(refused.status).toBe(401);
    expect(await registry.find("request-2")).toMatchObject({
      ...NOTHING,
      events: [{ claimedAgentRuntimeId: id, code: "bad_signature" }],
    });
  });

  it("shows the task of an id before those of a request that was given that id as its own", async () => {
    await using tested = await TestedAuthority.start();
    const { registry } = tested.authority;
    const { id, key } = await tested.agent("user-1");
    await tested.registerTask(id, key);
    const taskId = (await registry.listTasks())[0]?.taskId ?? expect.unreachable();
    const other = await tested.agent("user-2");
    await tested.registerTask(other.id, other.key, { "x-request-id": taskId });
    const { tasks } = await registry.find(taskId);
    expect(tasks.map(({ userId }) => userId)).toEqual(["user-1", "user-2"]);
    expect(await registry.find(taskId, { limit: 1 })).toMatchObject({
      tasks: [{ taskId }],
      more: true,
    });
  });

  it("finds the agents that came from an address, in each of its forms", async () => {
    await using tested = await TestedAuthority.start();
    const { registry } = tested.authority;
    const one = await tested.agent("user-1");
    const two = await tested.agent("user-2");
    await tested.registerTask(one.id, one.key);
    for (const text of ["127.0.0.1", "::ffff:127.0.0.1"]) {
      const found = await registry.find(text);
      expect(found.agents.map(({ agentRuntimeId }) => agentRuntimeId)).toEqual([two.id, one.id]);
      expect(found).toMatchObject({
        tasks: [],
        events: [{ action: "task_registered" }, {}, {}, {}],
      });
    }
    expect(await registry.find("127.0.0.1", { limit: 1 })).toMatchObject({ more: true });
  });

  it("answers readers and operators over the admin API as beside the database, and no other role", async () => {
    await using tested = await TestedAuthority.start();
    const { registry } = tested.authority;
    const { id, key } = await tested.agent();
    await tested.registerTask(id, key, { "x-request-id": "request-1" });
    for (const role of ["read", "operate"] as const) {
      const token = await tested.token(role, role, "ops");
      const remote = remoteRegistry({ url: await tested.adminUrl(), token });
      for (const text of [id, "acct-", "request-1", key.publicKey.line, "127.0.0.1"]) {
        expect(await remote.find(text), text).toStrictEqual(await registry.find(text));
      }
    }
    const ask = async (query: string, role: "human" | "resource_server" | "read") =>
      tested.callAdmin("GET", `/v1/admin/find?${query}`, {
        headers: { authorization: `Bearer ${await tested.token(role, role, "ops")}` },
      });
    expectRefusal(await ask("text=x", "human"), 401, "unauthenticated");
    expectRefusal(await ask("text=x", "resource_server"), 401, "unauthenticated");
    for (const query of ["", "text=", "text=x%00", "text=x&limit=101", "text=x&other=1"]) {
      expectRefusal(await ask(query, "read"), 400, "invalid_request");
    }
  });
});

describe("an index answers every search, and every question for audit events", () => {
  const AGENTS = effort === "full" ? 10_000 : 300;

  it(`among ${AGENTS} agents with 100 tasks each`, { timeout: 600_000 }, async () => {
    const database = await createTestDatabase();
    onTestFinished(() => database.drop());
    await using store = await openStore(database.url);
    const [agent] = await seedRegistry(store, AGENTS, 1);
    const queries = tapQueries(store, database.url);
    const ofRun = { agent_runtime_id: agent?.id ?? "", value: "a claim" };
    await store.rows.insertInto("agent_claims").values(ofRun).execute();
    await searchForEverything(createRegistry(store), agent?.key.publicKey.line ?? "");
    await readTheLogByEverything(createRegistry(store));
    const plans = [...queries().values()];
    expect(plans.length).toBeGreaterThan(8);
    const scans: string[] = [];
    for (const query of plans) {
      for (const step of await scansOf(store, query)) scans.push(`${step}: ${query.sql}`);
      if (store.kind === "postgres") scans.push(...(await chosenScans(store, query)));
    }
    expect(scans).toEqual([]);
  });
});

it("finds the agents of an address by an index of the events that name one, however many others it has", async () => {
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  await using store = await openStore(database.url);
  const refusal = { at: "2026-01-01T00:00:00Z", address: "192.0.2.1" };
  const values = Array.from({ length: 2_000 }, () => ({ ...refusal, action: "whoami" }));
  await store.rows.insertInto("audit_events").values(values).execute();
  if (store.kind === "postgres") await sql`analyze audit_events`.execute(store.rows);
  const queries = tapQueries(store, database.url);
  await createRegistry(store).find("192.0.2.1");
  const named = [...queries().values()].filter(({ sql: text }) =>
    text.includes('"agent_runtime_id" is not null'),
  );
  expect(named).toHaveLength(1);
  for (const query of named) {
    const explain = store.kind === "sqlite" ? "explain query plan" : "explain";
    const plan = await store.rows.executeQuery(
      CompiledQuery.raw(`${explain} ${query.sql}`, [...query.parameters]),
    );
    expect(JSON.stringify(plan.rows)).toContain("audit_events_agents_of_address");
  }
});

async function readTheLogByEverything(registry: Registry): Promise<void> {
  const id = "000000000-0000-7000-8000-000000000000";
  const time = "2026-01-01T00:00:00Z";
  const filters: readonly AuditFilter[] = [
    ...[{}, { since: time }, { until: time }, { only: "refusals" } as const, { before: 9_000 }],
    ...[{ accountId: "acct-1" }, { userId: "user-1" }, { agentRuntimeId: `agent_00${id}` }],
    ...[{ taskId: `task_00${id}` }, { address: "127.0.0.1" }, { requestId: "request-1" }],
    ...[{ actor: "operator" }, { userId: "user-1", accountId: "acct-1", since: time }],
  ];
  for (const filter of filters) {
    await registry.listAuditEvents({ ...filter, limit: 10 });
    await registry.listAuditEvents({ ...filter, last: 10 });
  }
}

async function searchForEverything(registry: Registry, keyLine: string): Promise<void> {
  const id = "000000000-0000-7000-8000-000000000000";
  const ids = ["agent", "task", "token"].flatMap((kind) => [`${kind}_00${id}`, `${kind}_0`, kind]);
  const texts = [...ids, "user-1", "acct-1", keyLine, "127.0.0.1", "request-1", "a claim"];
  for (const text of texts) {
    await registry.find(text);
    await registry.find(text, { limit: 100 });
  }
}

// With the statistics of the tables as they are: no plan that PostgreSQL chooses reads a large table from its beginning to its end.
async function chosenScans(store: AuthorityStore, query: CompiledQuery): Promise<string[]> {
  const plan = await store.rows.executeQuery<{ "QUERY PLAN": string }>(
    CompiledQuery.raw(`explain ${query.sql}`, [...query.parameters]),
  );
  return plan.rows
    .map((row) => row["QUERY PLAN"])
    .filter((step) => /Seq Scan on (agents|tasks|audit_events)/.test(step))
    .map((step) => `${step}: ${query.sql}`);
}
