import { AgentKey } from "@countersign/agent-key";
import { describe, expect, it, test } from "vitest";
import {
  type AuthorityOptions,
  createAuthority,
  createAuthorityMetrics,
  type HumanIssuer,
} from "../src/index.js";
import { createOidcIssuer } from "../src/oidc.js";
import { expectRefusal } from "./expect-refusal.js";
import { openScratchStore, TestedAuthority } from "./start-authority.js";

const register = (tested: TestedAuthority, token: string, body: object = {}) =>
  tested.registerAgent(token, AgentKey.generate(), body);

/** Registers agents until one is refused. @returns how many were not */
async function fill(tested: TestedAuthority, token: string, body: object = {}): Promise<number> {
  for (let count = 0; ; count += 1) {
    const answer = await register(tested, token, body);
    if (answer.status === 200) continue;
    expectRefusal(answer, 403, "agent_limit");
    return count;
  }
}

// Its tokens are `ci <user>`.
const issuer = (liveLimits: HumanIssuer["liveLimits"]): HumanIssuer => ({
  name: "ci",
  liveLimits,
  async authenticate(token) {
    if (!token.startsWith("ci-")) return undefined;
    return { accountId: "acct-ci", userId: `ci:${token.slice(3)}`, actor: "oidc:ci" };
  },
});

describe("the limit of a user", () => {
  const options = {
    maxLiveAgents: 1,
    maxEphemeralAgents: 1,
    humans: [issuer({ maxLiveAgents: 2, maxEphemeralAgents: 2 })],
    accountLimits: { "acct-2": { maxLiveAgents: 3 }, "acct-ci": { maxEphemeralAgents: 4 } },
  } as const;

  it("is the account's, otherwise the issuer's, otherwise the authority's, each by itself (G-A35)", async () => {
    await using tested = await TestedAuthority.start(options);
    const [own, other] = [await tested.token(), await tested.token("human", "user-1", "acct-2")];
    expect(await fill(tested, own)).toBe(1);
    expect(await fill(tested, other)).toBe(3);
    expect(await fill(tested, other, { ephemeral: true })).toBe(1);
    expect(await fill(tested, "ci-one")).toBe(2);
    expect(await fill(tested, "ci-one", { ephemeral: true })).toBe(4);
    expect(await fill(tested, "ci-two")).toBe(2);
  });

  it("holds for identity JWTs as well", async () => {
    await using tested = await TestedAuthority.start({ ...options, generations: ["A", "B", "C"] });
    const { registry } = tested.authority;
    const of = { accountId: "acct-2", userId: "user-1", ttlSeconds: 60 };
    for (let i = 0; i < 3; i += 1) await registry.issueIdentity(of);
    await expect(registry.issueIdentity(of)).rejects.toMatchObject({ code: "agent_limit" });
    const ofIssuer = { accountId: "acct-9", userId: "ci:one", ttlSeconds: 60 };
    for (let i = 0; i < 2; i += 1) await registry.issueIdentity(ofIssuer);
    await expect(registry.issueIdentity(ofIssuer)).rejects.toMatchObject({ code: "agent_limit" });
  });

  it("of tasks is that of the agent's account or issuer", async () => {
    await using tested = await TestedAuthority.start({
      maxLiveTasks: 1,
      accountLimits: { "acct-1": { maxLiveTasks: 2 } },
    });
    const { id, key } = await tested.agent();
    for (let i = 0; i < 2; i += 1) expect((await tested.registerTask(id, key)).status).toBe(200);
    expectRefusal(await tested.registerTask(id, key), 403, "task_limit");
  });
});

it("the limits and what they count are shown to the user by whoami", async () => {
  await using tested = await TestedAuthority.start({
    maxLiveAgents: 5,
    accountLimits: { "acct-1": { maxEphemeralAgents: 7 } },
  });
  const token = await tested.token();
  for (const body of [{}, { ephemeral: true }, {}]) await register(tested, token, body);
  const ended = await register(tested, token, { ephemeral: true, ttl: 1 });
  expect(ended.status).toBe(200);
  await register(tested, await tested.token("human", "user-2"));
  tested.clock.nowMs += 1_000;
  const headers = { authorization: `Bearer ${token}` };
  expect((await tested.call("GET", "/v1/whoami", { headers })).body).toEqual({
    account_id: "acct-1",
    user_id: "user-1",
    agents: { live: 2, limit: 5 },
    ephemeral_agents: { live: 1, limit: 7 },
  });
});

it("the tasks of an agent that its user names are shown by whoami, and those of no other agent", async () => {
  await using tested = await TestedAuthority.start({ maxLiveTasks: 5 });
  const { id, key, token } = await tested.agent();
  const other = await tested.agent("user-2");
  for (const agent of [{ id, key }, { id, key }, other]) {
    expect((await tested.registerTask(agent.id, agent.key)).status).toBe(200);
  }
  const [task] = await tested.authority.registry.listTasks({ agentRuntimeId: id });
  await tested.authority.registry.revokeTask(task?.taskId ?? expect.unreachable());
  const headers = { authorization: `Bearer ${token}` };
  const ask = async (query: string) => {
    const answer = await tested.call("GET", `/v1/whoami${query}`, { headers });
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ account_id: "acct-1", user_id: "user-1" });
    return answer.body.tasks;
  };
  expect(await ask(`?agent_runtime_id=${id}`)).toEqual({ live: 1, limit: 5 });
  const others = [`agent_runtime_id=${other.id}`, "agent_runtime_id=agent_x", "agent_runtime_id="];
  for (const query of [...others, `agent_runtime_id=${id}&agent_runtime_id=${id}`, "x=y"]) {
    expect(await ask(`?${query}`), query).toBeUndefined();
  }
});

describe("a limit is refused as config_invalid", () => {
  const wrong: readonly (readonly [string, Omit<AuthorityOptions, "store">])[] = [
    ["of none for an account", { accountLimits: { "acct-1": { maxLiveAgents: 0 } } }],
    ["that is a text", { accountLimits: { "acct-1": { maxLiveTasks: "7" as never } } }],
    ["of an account that is not one", { accountLimits: { "a b": { maxLiveTasks: 7 } } }],
    ["of an issuer out of its range", { humans: [issuer({ maxEphemeralAgents: 1_000_001 })] }],
    ["of the whole authority", { maxEphemeralAgents: 0 }],
    ["by account in a list", { accountLimits: [] as never }],
  ];

  test.each(wrong)("%s", async (_, options) => {
    await using store = await openScratchStore();
    await expect(createAuthority({ store, ...options })).rejects.toMatchObject({
      code: "config_invalid",
    });
  });

  test("of an OpenID Connect issuer", () => {
    const make = () =>
      createOidcIssuer({
        name: "corp",
        issuer: "https://issuer.example",
        audience: "https://authority.example",
        account: "acct-1",
        liveLimits: { maxLiveTasks: 0 },
      });
    expect(make).toThrow("oidc corp: maxLiveTasks must be an integer from 1 to 10000000, got 0");
  });
});

describe("at 80 % of a limit", () => {
  it("of ephemeral agents the line and the figure name that limit, and info is used without warn", async () => {
    const lines: object[] = [];
    const logger = {
      info: (fields: object, message: string) => {
        if (message.startsWith("80 %")) lines.push(fields);
      },
      error: () => undefined,
    };
    const metrics = createAuthorityMetrics();
    await using tested = await TestedAuthority.start({ maxEphemeralAgents: 1, logger, metrics });
    await register(tested, await tested.token(), { ephemeral: true });
    expect(lines).toMatchObject([{ limit_of: "ephemeral_agents", used: 1, limit: 1 }]);
    expect(await metrics.render()).toContain(
      'countersign_authority_near_limit_total{of="ephemeral_agents"} 1',
    );
  });

  it("the operator is warned once, and each registration from there on is counted", async () => {
    const lines: object[] = [];
    const logger = {
      info: () => undefined,
      error: () => undefined,
      warn: (fields: object, message: string) => lines.push({ ...fields, message }),
    };
    const metrics = createAuthorityMetrics();
    const nearOf = async (of: string) => {
      const line = `countersign_authority_near_limit_total{of="${of}"} `;
      const rendered = (await metrics.render()).split("\n").find((each) => each.startsWith(line));
      return Number(rendered?.slice(line.length));
    };
    await using tested = await TestedAuthority.start({
      maxLiveAgents: 5,
      maxLiveTasks: 2,
      logger,
      metrics,
    });
    const token = await tested.token();
    for (let i = 0; i < 3; i += 1) await register(tested, token);
    expect(lines).toEqual([]);
    expect(await nearOf("agents")).toBe(0);
    const key = AgentKey.generate();
    const { body } = await tested.registerAgent(token, key);
    // A repetition admits no other agent.
    await tested.registerAgent(token, key);
    await register(tested, token);
    expectRefusal(await register(tested, token), 403, "agent_limit");
    const message = "80 % of a limit is used: at the limit, registrations are refused";
    const ofUser = { account_id: "acct-1", user_id: "user-1" };
    expect(lines).toEqual([{ ...ofUser, limit_of: "agents", used: 4, limit: 5, message }]);
    expect(await nearOf("agents")).toBe(2);
    expect(await nearOf("ephemeral_agents")).toBe(0);
    const id: string = body.agent_runtime_id;
    for (let i = 0; i < 2; i += 1) await tested.registerTask(id, key);
    expect(lines.slice(1)).toEqual([
      { agent_runtime_id: id, limit_of: "tasks", used: 2, limit: 2, message },
    ]);
    expect(await nearOf("tasks")).toBe(1);
  });
});
