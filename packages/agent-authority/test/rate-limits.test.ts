import { createKeyRotationRequest } from "@countersign/agent-identity/authority-client";
import { AgentKey, formatTimestamp } from "@countersign/agent-key";
import { expectRejection } from "@countersign/testing/vitest";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { AgentAuthorityError, type AuthorityOptions, createAuthority } from "../src/index.js";
import { addressSubject, agentSubject } from "../src/limits/limit-subject.js";
import { RateLimited } from "../src/limits/quota.js";
import { RateLimiter } from "../src/limits/rate-limiter.js";
import { expectRefusal } from "./expect-refusal.js";
import { holdTable } from "./hold-table.js";
import {
  type Answer,
  agentBody,
  biscuitHeaders,
  NOON,
  openScratchStore,
  TestedAuthority,
  taskBody,
  taskPath,
} from "./start-authority.js";
import { createTestDatabase, type TestDatabase } from "./test-database.js";

const MINUTE_MS = 60_000;
const NO_TOKEN = `cs_human_${"A".repeat(43)}`;

function start(rateLimits: NonNullable<AuthorityOptions["rateLimits"]>, database?: string) {
  return TestedAuthority.start({
    rateLimits,
    trustedProxies: ["127.0.0.1"],
    ...(database === undefined ? {} : { database }),
  });
}

const from = (address: string) => ({ "x-forwarded-for": address });

function register(tested: TestedAuthority, token: string, address = "192.0.2.1"): Promise<Answer> {
  return tested.call("POST", "/v1/agent/register", {
    headers: { authorization: `Bearer ${token}`, ...from(address) },
    body: agentBody(AgentKey.generate()),
  });
}

function expectLimited(answer: Answer, policy: string, resetSeconds = 60): void {
  expectRefusal(answer, 429, "rate_limited");
  expect(answer.headers["retry-after"]).toBe(String(resetSeconds));
  const [name] = policy.split(";");
  expect(answer.headers["ratelimit-policy"]).toBe(policy);
  expect(answer.headers.ratelimit).toBe(`${name};r=0;t=${resetSeconds}`);
}

async function count(tested: TestedAuthority, name: string): Promise<number> {
  const rows = await tested.store.rows
    .selectFrom("rate_limits")
    .selectAll()
    .where("name", "=", name)
    .execute();
  return rows.reduce((sum, row) => sum + row.count, 0);
}

describe("options of limits", () => {
  it.each([0, -1, 1.5, 10_000_001, Number.NaN])(
    "cannot be %s: off is said by name",
    async (value) => {
      await using store = await openScratchStore();
      for (const name of [
        "refusalsPerMinute",
        "addressPerMinute",
        "userPerMinute",
        "agentPerMinute",
      ]) {
        const made = createAuthority({ store, rateLimits: { [name]: value } });
        await expectRejection(made, AgentAuthorityError, "config_invalid");
        await expect(made).rejects.toThrow(name);
      }
    },
  );

  it("are 600, 6,000, 120 and 600 a minute when nothing is said, and none when off", async () => {
    await using tested = await TestedAuthority.start();
    const { headers } = await register(tested, await tested.token());
    expect(headers["ratelimit-policy"]).toBe('"user";q=120;w=60');
    expect(headers.ratelimit).toBe('"user";r=119;t=60');
    const { id, key } = await tested.agent("user-2");
    const task = await tested.registerTask(id, key);
    expect(task.headers["ratelimit-policy"]).toBe('"agent";q=600;w=60');
    expectRefusal(await register(tested, NO_TOKEN), 401, "unauthenticated");
    expect((await register(tested, NO_TOKEN)).headers["ratelimit-policy"]).toBe(
      '"refusals";q=600;w=60',
    );
    await using unlimited = await start("off");
    const answer = await register(unlimited, await unlimited.token());
    expect([answer.status, answer.headers.ratelimit]).toEqual([200, undefined]);
    await using partly = await start({ userPerMinute: "off", refusalsPerMinute: "off" });
    expectRefusal(await register(partly, NO_TOKEN), 401, "unauthenticated");
    const free = await register(partly, await partly.token());
    expect([free.status, free.headers.ratelimit]).toEqual([200, undefined]);
    expect(await partly.store.rows.selectFrom("rate_limits").selectAll().execute()).toEqual([]);
  });
});

describe("limits of refusals", () => {
  it("refuse further wrong guesses of an address until the window ends, and let callers through who hold a credential (G-A9)", async () => {
    await using tested = await start({ refusalsPerMinute: 3 });
    const token = await tested.token();
    for (let i = 0; i < 3; i += 1) {
      const answer = await register(tested, NO_TOKEN);
      expectRefusal(answer, 401, "unauthenticated");
      expect(answer.headers.ratelimit).toBe(`"refusals";r=${2 - i};t=60`);
    }
    expectLimited(await register(tested, NO_TOKEN), '"refusals";q=3;w=60');
    expect((await register(tested, token)).status).toBe(200);
    expect((await register(tested, NO_TOKEN, "192.0.2.2")).status).toBe(401);
    tested.clock.nowMs = NOON + MINUTE_MS - 1;
    expectLimited(await register(tested, NO_TOKEN), '"refusals";q=3;w=60', 1);
    tested.clock.nowMs = NOON + MINUTE_MS;
    expectRefusal(await register(tested, NO_TOKEN), 401, "unauthenticated");
  });

  it("count nothing that was answered", async () => {
    await using tested = await start({ refusalsPerMinute: 1, addressPerMinute: 1 });
    const token = await tested.token();
    for (let i = 0; i < 3; i += 1) expect((await register(tested, token)).status).toBe(200);
    expect(await count(tested, "refusals:address:192.0.2.1")).toBe(0);
  });

  it("count what is refused to a user by that user, and to an agent by that agent (G-A9)", async () => {
    await using tested = await start({ refusalsPerMinute: 1, addressPerMinute: 1 });
    const { id, key, token } = await tested.agent();
    const refused = () =>
      tested.call("POST", "/v1/agent/register", {
        headers: { authorization: `Bearer ${token}`, ...from("192.0.2.1") },
        body: { ...agentBody(AgentKey.generate()), user_id: "user-2" },
      });
    expectRefusal(await refused(), 403, "forbidden");
    expectLimited(await refused(), '"refusals";q=1;w=60');
    expect(await count(tested, 'refusals:user:["acct-1","user-1"]')).toBe(1);
    expectLimited(await register(tested, token), '"refusals";q=1;w=60');
    const other = await tested.token("human", "user-2");
    expect((await register(tested, other)).status).toBe(200);
    expect((await tested.registerTask(id, key, from("192.0.2.1"))).status).toBe(200);
    await tested.authority.registry.revokeAgent(id);
    expectRefusal(await tested.registerTask(id, key, from("192.0.2.1")), 401, "agent_revoked");
    expectLimited(await tested.registerTask(id, key), '"refusals";q=1;w=60');
    expect(await count(tested, `refusals:agent:${id}`)).toBe(1);
    expect(await count(tested, "refusals:address:192.0.2.1")).toBe(0);
  });

  it("count a user that was revoked by address, because its token is not live", async () => {
    await using tested = await start({});
    const token = await tested.token();
    await tested.authority.registry.revokeUser("acct-1", "user-1");
    expectRefusal(await register(tested, token), 403, "forbidden");
    expect(await count(tested, "refusals:address:192.0.2.1")).toBe(1);
  });

  it.each([
    ["whoami", "GET", "/v1/whoami"],
    ["biscuits", "GET", "/authenticate_app_v2"],
    ["the directory", "GET", "/v1/agent/agent_1"],
    ["task registrations", "POST", taskPath("agent_1")],
  ])("count what fails at %s", async (_name, method, path) => {
    await using tested = await start({ refusalsPerMinute: 1 });
    const fail = () =>
      tested.call(method, path, {
        headers: path.includes("authenticate")
          ? { ...biscuitHeaders(NO_TOKEN, `${tested.url}/v1/agent/register`), ...from("192.0.2.1") }
          : {
              ...from("192.0.2.1"),
              ...(method === "GET" ? { authorization: `Bearer ${NO_TOKEN}` } : {}),
            },
        ...(method === "POST"
          ? {
              body: {
                signature: Buffer.alloc(64).toString("base64"),
                timestamp: new Date(NOON).toISOString().replace(".000", ""),
              },
            }
          : {}),
      });
    expect((await fail()).status).toBe(401);
    expectLimited(await fail(), '"refusals";q=1;w=60');
  });

  it("leave probes and what resource servers ask alone, and count none of it", async () => {
    await using tested = await start({ refusalsPerMinute: 1, addressPerMinute: 1 });
    const { id } = await tested.agent();
    const headers = {
      authorization: `Bearer ${await tested.token("resource_server")}`,
      ...from("127.0.0.1"),
    };
    for (const _ of [1, 2]) await register(tested, NO_TOKEN, "127.0.0.1");
    await register(tested, NO_TOKEN, "127.0.0.1");
    expectLimited(await register(tested, NO_TOKEN, "127.0.0.1"), '"address";q=1;w=60');
    for (const path of ["/healthz", "/readyz", `/v1/agent/${id}`, `/v1/agent/${id}`]) {
      expect((await tested.call("GET", path, { headers })).status).toBe(200);
    }
    expect(await count(tested, "refusals:address:127.0.0.1")).toBe(1);
  });

  it("keep who goes on beyond them from keeping the database busy, whatever is asked", async () => {
    const publicUrl = "https://authority.example";
    await using tested = await TestedAuthority.start({
      publicUrl,
      rateLimits: { refusalsPerMinute: 1 },
    });
    const ask = () => tested.call("GET", "/v1/agent/agent_1");
    expectRefusal(await ask(), 401, "unauthenticated");
    expectRefusal(await ask(), 429, "rate_limited");
    const transaction = vi.spyOn(tested.store, "transaction");
    expectRefusal(await ask(), 429, "rate_limited");
    expectRefusal(await tested.call("POST", "/v1/agent/agent_1/revoke"), 429, "rate_limited");
    expect(transaction).not.toHaveBeenCalled();
  });
});

describe("limits by address", () => {
  // Uses up the refusals of an address, and the one look at a credential beyond them.
  async function flood(tested: TestedAuthority): Promise<void> {
    expectRefusal(await register(tested, NO_TOKEN), 401, "unauthenticated");
    expectLimited(await register(tested, NO_TOKEN), '"refusals";q=1;w=60');
    expectLimited(await register(tested, NO_TOKEN), '"refusals";q=1;w=60');
    expectLimited(await register(tested, NO_TOKEN), '"address";q=1;w=60');
  }
  const TIGHT = { refusalsPerMinute: 1, addressPerMinute: 1 } as const;

  it.each([
    ["POST", "/v1/agent/register"],
    ["POST", "/v1/agent/:id/task/register"],
    ["POST", "/v1/agent/:id/key"],
    ["POST", "/v1/agent/:id/revoke"],
    ["GET", "/v1/whoami"],
    ["GET", "/authenticate_app_v2"],
  ])("refuse %s %s before its credential is looked at (G-A9)", async (method, pattern) => {
    await using tested = await start(TIGHT);
    const token = await tested.token();
    await flood(tested);
    const selectFrom = vi.spyOn(tested.store.rows, "selectFrom");
    const transaction = vi.spyOn(tested.store, "transaction");
    // A task is asked for by the agent's signature alone.
    const isSigned = pattern.endsWith("/task/register");
    const credential = isSigned ? {} : biscuitHeaders(token, `${tested.url}/v1/agent/register`);
    for (const path of [pattern, `/backend-api${pattern}`]) {
      const answer = await tested.call(method, path.replace(":id", "agent_1"), {
        headers: { ...credential, ...from("192.0.2.1") },
        ...(isSigned ? { body: taskBody("agent_1", AgentKey.generate(), NOON) } : {}),
      });
      expectLimited(answer, '"address";q=1;w=60');
    }
    expect(selectFrom).not.toHaveBeenCalled();
    expect(transaction).not.toHaveBeenCalled();
    expect((await register(tested, token, "192.0.2.2")).status).toBe(200);
  });

  it("let a token, a biscuit and an agent through that are known, and an agent that was just admitted (G-A9)", async () => {
    await using tested = await start(TIGHT);
    const token = await tested.token();
    const { body } = await register(tested, token);
    const key = AgentKey.generate();
    const biscuit = await tested.biscuit(token, "/v1/agent/register");
    await flood(tested);
    const known = { authorization: `Bearer ${token}`, ...from("192.0.2.1") };
    expect((await tested.call("GET", "/v1/whoami", { headers: known })).status).toBe(200);
    const admitted = await tested.call("POST", "/v1/agent/register", {
      headers: { "x-openai-authorization": biscuit, ...from("192.0.2.1") },
      body: agentBody(key),
    });
    expect(admitted.status).toBe(200);
    const id = admitted.body.agent_runtime_id;
    expect((await tested.registerTask(id, key, from("192.0.2.1"))).status).toBe(200);
    expect(body.agent_runtime_id).not.toBe(id);
    const stranger = await tested.token("human", "user-2");
    expectLimited(await register(tested, stranger), '"address";q=1;w=60');
  });

  it("do not take what came beside a credential that held for a known caller (G-A9)", async () => {
    await using tested = await start(TIGHT);
    const beside = NO_TOKEN;
    const minted = await tested.call("GET", "/authenticate_app_v2", {
      headers: {
        ...biscuitHeaders(await tested.token(), `${tested.url}/v1/agent/register`),
        "x-openai-authorization": beside,
      },
    });
    expect(minted.status).toBe(200);
    await flood(tested);
    const guess = await tested.call("POST", "/v1/agent/register", {
      headers: { "x-openai-authorization": beside, ...from("192.0.2.1") },
      body: agentBody(AgentKey.generate()),
    });
    expectLimited(guess, '"address";q=1;w=60');
  });

  it("check few signatures for a client that knows the id of an agent alone", async () => {
    await using tested = await start(TIGHT);
    const { id, key } = await tested.agent();
    await flood(tested);
    const kinds: unknown[] = [];
    for (let i = 0; i < 11; i += 1) {
      const answer = await tested.registerTask(id, AgentKey.generate(), from("192.0.2.1"));
      kinds.push(answer.headers["ratelimit-policy"]);
    }
    expect(kinds).toEqual([...Array(10).fill('"refusals";q=1;w=60'), '"address";q=1;w=60']);
    expect((await tested.registerTask(id, key, from("192.0.2.2"))).status).toBe(200);
    expect((await tested.registerTask(id, key, from("192.0.2.1"))).status).toBe(200);
  });

  it("do not take the agent in the path of another operation for a known caller", async () => {
    await using tested = await start(TIGHT);
    const { id } = await tested.agent();
    await flood(tested);
    const answer = await tested.call("POST", `/v1/agent/${id}/revoke`, {
      headers: { authorization: `Bearer ${NO_TOKEN}`, ...from("192.0.2.1") },
    });
    expectLimited(answer, '"address";q=1;w=60');
  });

  it("take an IPv6 /64 for one address, and each IPv4 address for one", () => {
    const name = (address: string | undefined) => addressSubject(address).name;
    expect(name("2001:db8:1:2::1")).toBe("address:2001:db8:1:2::/64");
    expect(name("2001:db8:1:2:ffff:ffff:ffff:ffff")).toBe(name("2001:db8:1:2::1"));
    expect(name("2001:db8:1:3::1")).not.toBe(name("2001:db8:1:2::1"));
    expect(name("2001:db8::1")).toBe("address:2001:db8:0:0::/64");
    expect(name("::1")).toBe("address:0:0:0:0::/64");
    expect(name("2001::")).toBe("address:2001:0:0:0::/64");
    expect(name("192.0.2.1")).toBe("address:192.0.2.1");
    expect(name(undefined)).toBe("address:unknown");
  });
});

describe("limits by user and by agent", () => {
  it("count only after the token was found valid, so that no caller uses up another user's quota (G-A9)", async () => {
    await using tested = await start({ userPerMinute: 2 });
    const [mine, others] = [await tested.token(), await tested.token("human", "user-2")];
    expectRefusal(await register(tested, NO_TOKEN), 401, "unauthenticated");
    for (const remaining of [1, 0]) {
      const { status, headers } = await register(tested, mine);
      expect([status, headers.ratelimit]).toEqual([
        200,
        expect.stringContaining(`"user";r=${remaining};t=60`),
      ]);
    }
    expectLimited(await register(tested, mine, "192.0.2.9"), '"user";q=2;w=60');
    expect((await register(tested, others)).status).toBe(200);
    expect((await register(tested, await tested.token("human", "user-1", "acct-2"))).status).toBe(
      200,
    );
    expect(
      await tested.authority.registry.listAgents({ userId: "user-1", accountId: "acct-1" }),
    ).toHaveLength(2);
  });

  it("count biscuits, and give the one back that a registration too many was sent with", async () => {
    await using tested = await start({ userPerMinute: 2 });
    const token = await tested.token();
    const spare = await tested.biscuit(token, "/v1/agent/register");
    const spent = await tested.biscuit(token, "/v1/agent/register");
    const minted = await tested.call("GET", "/authenticate_app_v2", {
      headers: biscuitHeaders(token, `${tested.url}/v1/agent/register`),
    });
    expectLimited(minted, '"user";q=2;w=60');
    const send = (biscuit: string) =>
      tested.call("POST", "/v1/agent/register", {
        headers: { "x-openai-authorization": biscuit },
        body: agentBody(AgentKey.generate()),
      });
    expectLimited(await send(spent), '"user";q=2;w=60');
    tested.clock.nowMs += 59_999;
    expectLimited(await send(spare), '"user";q=2;w=60', 1);
    expect(await tested.store.rows.selectFrom("biscuit_uses").selectAll().execute()).toEqual([]);
  });

  it("count rotations of a key, and let a human stop an agent all the same", async () => {
    await using tested = await start({ userPerMinute: 2 });
    const { id, key: current, token } = await tested.agent();
    const headers = { authorization: `Bearer ${token}` };
    const rotate = (from: AgentKey, next: AgentKey) =>
      tested.call("POST", `/v1/agent/${id}/key`, {
        headers,
        body: createKeyRotationRequest(
          {
            authority: tested.url,
            agentRuntimeId: id,
            timestamp: formatTimestamp(tested.clock.nowMs),
          },
          { current: from, next },
        ),
      });
    const second = AgentKey.generate();
    expect((await rotate(current, second)).status).toBe(200);
    expectLimited(await rotate(second, AgentKey.generate()), '"user";q=2;w=60');
    expect((await tested.authority.registry.getAgent(id))?.agentPublicKey).toBe(
      second.publicKey.line,
    );
    expect((await tested.call("POST", `/v1/agent/${id}/revoke`, { headers })).status).toBe(200);
  });

  it("count only after the signature was found valid, so that no caller uses up another agent's quota (G-A9)", async () => {
    await using tested = await start({ agentPerMinute: 2 });
    const { id, key } = await tested.agent();
    for (let i = 0; i < 3; i += 1) {
      expectRefusal(await tested.registerTask(id, AgentKey.generate()), 401, "bad_signature");
    }
    for (const remaining of [1, 0]) {
      const { status, headers } = await tested.registerTask(id, key);
      expect([status, headers.ratelimit]).toEqual([200, `"agent";r=${remaining};t=60`]);
    }
    expectLimited(await tested.registerTask(id, key), '"agent";q=2;w=60');
    expectRefusal(await tested.registerTask(id, AgentKey.generate()), 401, "bad_signature");
    expect(await tested.authority.registry.listTasks()).toHaveLength(2);
  });
});

describe("counters", () => {
  let own: TestDatabase;
  beforeEach(async () => {
    own = await createTestDatabase();
  });
  afterEach(() => own.drop());

  it("are shared by the authorities on one database: together they let exactly as many through (G-A9)", async () => {
    const limits = { userPerMinute: 25 } as const;
    await using one = await start(limits, own.url);
    await using two = await start(limits, own.url);
    const token = await one.token();
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, i) => register(i % 2 === 0 ? one : two, token)),
    );
    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses).toEqual([...Array(25).fill(200), ...Array(25).fill(429)]);
    expect(await one.authority.registry.listAgents()).toHaveLength(25);
    expect(await count(two, 'user:["acct-1","user-1"]')).toBe(25);
  });

  it("refuse what cannot be counted, rather than let guesses go on without a limit", async () => {
    await using tested = await start({ refusalsPerMinute: 3 }, own.url);
    await tested.store.rows.schema.dropTable("rate_limits").execute();
    expectRefusal(await register(tested, NO_TOKEN), 503, "server_error");
  });

  it("refuse again without a look at the database, and forget that with the window, whichever way the clock goes", async () => {
    await using tested = await start("off", own.url);
    const { store, clock } = tested;
    const limiter = new RateLimiter(store, { agent: 1 }, () => clock.nowMs);
    const subject = agentSubject("agent_1");
    await limiter.count(store.rows, subject);
    await expect(limiter.count(store.rows, subject)).rejects.toBeInstanceOf(RateLimited);
    expect(() => limiter.check(subject)).toThrow(RateLimited);
    const release = await holdTable(own.url, "rate_limits");
    expect(() => limiter.check(subject)).toThrow(RateLimited);
    await release();
    for (const nowMs of [NOON - 1, NOON + MINUTE_MS]) {
      clock.nowMs = nowMs;
      expect(() => limiter.check(subject)).not.toThrow();
      expect(await limiter.count(store.rows, subject)).toMatchObject({ remaining: 0 });
      clock.nowMs = NOON;
      await expect(limiter.count(store.rows, subject)).rejects.toBeInstanceOf(RateLimited);
    }
  });

  it("of ended windows go, some at a time, and none that still counts", async () => {
    await using tested = await start("off", own.url);
    const { store, clock } = tested;
    const limiter = new RateLimiter(store, { agent: 5 }, () => clock.nowMs);
    const begin = async (from: number, until: number) => {
      for (let i = from; i < until; i += 1)
        await limiter.count(store.rows, agentSubject(`agent_${i}`));
    };
    const left = async () =>
      (await store.rows.selectFrom("rate_limits").select("name").execute()).length;
    await begin(0, 200);
    expect(await left()).toBe(200);
    clock.nowMs = NOON + MINUTE_MS;
    await begin(0, 32);
    expect(await left()).toBe(200 + 32 - 128);
    await begin(32, 64);
    expect(await left()).toBe(64);
  });
});
