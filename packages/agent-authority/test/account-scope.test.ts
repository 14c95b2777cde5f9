import { signAssertion } from "@countersign/agent-assertion";
import { AgentKey, formatTimestamp } from "@countersign/agent-key";
import { openSealedBox } from "@countersign/agent-task/sealed-box";
import { expectRejection } from "@countersign/testing/vitest";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AgentAuthorityError, type CreateAccessTokenOptions } from "../src/index.js";
import { ADMIN_OPERATIONS } from "../src/operations/admin-operations.js";
import { fillPath } from "../src/operations/operation-path.js";
import { expectRefusal } from "./expect-refusal.js";
import { type Answer, TestedAuthority } from "./start-authority.js";

/** What names everything of one account. */
interface Names {
  readonly account: string;
  readonly user: string;
  readonly agent: string;
  readonly task: string;
  readonly key: string;
  readonly token: string;
  readonly name: string;
  readonly request: string;
  readonly reason: string;
}

// Next to each other in the order of the index, so that a misspelt one would be told the other.
const MINE = "acct-1";
const THEIRS = "acct-1-theirs";
// Of the same forms and lengths, and there are none of them.
const NONE: Names = {
  account: "acct-1-absent",
  user: "user-absent",
  agent: "agent_01990000-0000-7000-8000-000000000001",
  task: "task_01990000-0000-7000-8000-000000000002",
  key: AgentKey.generate().publicKey.line,
  token: "token_01990000-0000-7000-8000-000000000003",
  name: "name-absent",
  request: "request-absent",
  reason: "reason-absent",
};
const CALLERS = ["read", "audit", "stop", "operate"] as const;

let tested: TestedAuthority;
let mine: Names;
let theirs: Names;
let theirAgent: { readonly id: string; readonly key: AgentKey };
let rights: string;
let wider: readonly { readonly id: string; readonly name?: string | undefined }[];
const callers = new Map<string, string>();

beforeAll(async () => {
  tested = await TestedAuthority.start({ generations: ["A", "B", "C"], rateLimits: "off" });
  mine = (await makeAccount(MINE, "mine")).names;
  const made = await makeAccount(THEIRS, "theirs");
  theirs = made.names;
  theirAgent = made.agent;
  for (const role of CALLERS) {
    const scopes = role === "operate" ? (["tokens"] as const) : [];
    callers.set(role, await make({ role, scopes, accounts: [MINE] }));
  }
  // Written late, it would come between two answers that are compared.
  for (const { user } of [mine, theirs]) await tested.useNoted(user);
  // A token of the own account that may more than this account would tell of the others.
  rights = await make({ accountId: MINE, role: "read", name: "both", accounts: [MINE, THEIRS] });
  await make({ accountId: MINE, role: "resource_server", name: "every" });
  await make({ accountId: MINE, role: "operate", scopes: ["tokens"], name: "root" });
  const tokens = await tested.authority.registry.listAccessTokens({ accountId: MINE });
  wider = tokens.filter(({ name }) => ["both", "every", "root"].includes(name ?? ""));
});

afterAll(() => tested[Symbol.asyncDispose]());

async function make(options: Partial<CreateAccessTokenOptions>): Promise<string> {
  const whose = { accountId: "ops", userId: "operator", role: "read", ttlSeconds: 600 } as const;
  return (await tested.authority.registry.createAccessToken({ ...whose, ...options })).token;
}

/** Makes an account in which there is one of everything, with events that name it. */
async function makeAccount(account: string, word: string) {
  const { registry } = tested.authority;
  const names = {
    account,
    user: `user-${word}`,
    name: `name-${word}`,
    request: `request-${word}`,
    reason: `reason-${word}`,
  };
  const owner = { accountId: account, userId: names.user, name: names.name, ttlSeconds: 600 };
  const created = await registry.createAccessToken({ ...owner, role: "human" });
  const key = AgentKey.generate();
  const headers = { "x-request-id": names.request };
  const { body } = await tested.registerAgent(created.token, key);
  const agent = String(body.agent_runtime_id);
  const registered = await tested.registerTask(agent, key, headers);
  const box = Buffer.from(registered.body.encrypted_task_id, "base64");
  const task = Buffer.from(openSealedBox(box, key)).toString();
  await registry.revokeAgent(agent, { reason: names.reason });
  await registry.restoreAgent(agent, { reason: names.reason });
  const all: Names = { ...names, agent, task, key: key.publicKey.line, token: created.id };
  return { names: all, agent: { id: agent, key } };
}

type Question = Readonly<Record<string, unknown>>;

// What each operation is asked with where it is to tell of something, or to change it.
const QUESTIONS: Readonly<Record<keyof typeof ADMIN_OPERATIONS, (names: Names) => Question[]>> = {
  listAccessTokens: (it) => [{}, { account_id: it.account }, { user_id: it.user }],
  createAccessToken: (it) => [
    { account_id: it.account, user_id: it.user, role: "human", ttl_seconds: 60 },
    { account_id: MINE, user_id: "x", role: "read", ttl_seconds: 60, accounts: [it.account] },
    { account_id: MINE, user_id: "x", role: "read", ttl_seconds: 60, accounts: [MINE, it.account] },
    { account_id: MINE, user_id: "x", role: "resource_server", ttl_seconds: 60 },
  ],
  rotateAccessToken: (it) => [{ id: it.token }],
  revokeAccessToken: (it) => [{ id: it.token }],
  listAgents: (it) => [{}, { account_id: it.account }, { user_id: it.user }],
  getAgent: (it) => [{ id: it.agent }],
  revokeAgent: (it) => [{ id: it.agent }],
  restoreAgent: (it) => [{ id: it.agent }],
  listTasks: (it) => [
    {},
    { account_id: it.account },
    { user_id: it.user },
    { agent_runtime_id: it.agent },
  ],
  getTask: (it) => [{ id: it.task }],
  revokeTask: (it) => [{ id: it.task }],
  restoreTask: (it) => [{ id: it.task }],
  listUsers: (it) => [{}, { account_id: it.account }, { after: `${it.account},${it.user}` }],
  revokeUser: (it) => [
    { account_id: it.account, user_id: it.user },
    { account_id: it.account, user_id: it.user, even_if_unknown: true },
    { account_id: it.account, user_id: it.user.slice(0, -1) },
  ],
  restoreUser: (it) => [{ account_id: it.account, user_id: it.user }],
  listAccounts: () => [{}, { after: MINE }],
  revokeAccount: (it) => [
    { account_id: it.account },
    { account_id: it.account, even_if_unknown: true },
    { account_id: it.account.slice(0, -1) },
  ],
  restoreAccount: (it) => [{ account_id: it.account }],
  find: (it) => [
    ...[it.account, it.user, it.agent, it.task, it.key, it.token, it.request].map((text) => ({
      text,
    })),
    ...["acct-1", "user-", "agent_", "task_", "token_", "127.0.0.1", "a"].map((text) => ({
      text,
      limit: 100,
    })),
  ],
  listAuditEvents: (it) => [
    { last: 1_000 },
    { limit: 1_000, after: 0 },
    { account_id: it.account },
    { user_id: it.user },
    { agent_runtime_id: it.agent },
    { task_id: it.task },
    { request_id: it.request },
  ],
  issueIdentity: (it) => [{ account_id: it.account, user_id: it.user, ttl_seconds: 60 }],
  listSigningKeys: () => [{}],
  rotateSigningKey: () => [{}],
};

function ask(
  name: keyof typeof ADMIN_OPERATIONS,
  token: string,
  question: Question,
): Promise<Answer> {
  const { method, path: pattern } = ADMIN_OPERATIONS[name];
  const { path, rest } = fillPath(pattern, question);
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(rest)) query.set(key, `${value}`);
  const headers = { authorization: `Bearer ${token}` };
  if (method === "post") return tested.callAdmin("POST", path, { headers, body: rest });
  return tested.callAdmin("GET", `${path}?${query}`, { headers });
}

/** The answer with the names that were asked for taken out, so that two questions of one form can be compared. */
function nameless({ status, text }: Answer, names: Names): string {
  const values = Object.values(names).flatMap((value) => [value, value.slice(0, -1)]);
  return `${status} ${values.reduce((rest, value) => rest.replaceAll(value, "*"), text)}`;
}

function bytesOf(text: string, names: Names): readonly string[] {
  return Object.values(names).filter((value) => text.includes(value));
}

const OPERATIONS = Object.keys(ADMIN_OPERATIONS) as (keyof typeof ADMIN_OPERATIONS)[];

describe.each(CALLERS)("a token of role %s for one account", (caller) => {
  it.each(OPERATIONS)("is answered by %s as if no other account existed (G-A51)", async (name) => {
    const token = callers.get(caller) ?? "";
    const questions = QUESTIONS[name](theirs);
    for (const [index, question] of questions.entries()) {
      const answer = await ask(name, token, question);
      const twin = QUESTIONS[name](NONE)[index] ?? expect.unreachable();
      expect(nameless(answer, theirs)).toBe(nameless(await ask(name, token, twin), NONE));
      const told = bytesOf(answer.text, theirs).filter(
        (value) => !JSON.stringify(question).includes(value.slice(0, -1)),
      );
      expect(told, answer.text).toEqual([]);
    }
  });
});

it("nothing of the other account has changed, and nothing was made in it (G-A51)", async () => {
  const { registry } = tested.authority;
  const accountId = THEIRS;
  expect(await registry.getAgent(theirs.agent)).toMatchObject({ state: "active" });
  expect(await registry.getTask(theirs.task)).toMatchObject({ state: "active" });
  expect(await registry.listUsers({ accountId })).toMatchObject([{ state: "active" }]);
  expect(await registry.listAccessTokens({ accountId })).toMatchObject([{ state: "active" }]);
  const events = await registry.listAuditEvents({ accountId });
  expect(events.filter(({ actor }) => actor?.startsWith("admin:"))).toEqual([]);
});

describe("a token for one account", () => {
  it("is answered about this account by every operation that its role may call", async () => {
    for (const name of OPERATIONS.filter((each) => ADMIN_OPERATIONS[each].method === "get")) {
      if (name === "listSigningKeys") continue;
      const [question = {}] = QUESTIONS[name](mine);
      const answer = await ask(name, callers.get("read") ?? "", question);
      expect(answer.status, name).toBe(200);
      expect(bytesOf(answer.text, mine), name).not.toEqual([]);
    }
    expect(await ask("revokeTask", callers.get("stop") ?? "", { id: mine.task })).toMatchObject({
      status: 200,
      body: { state: "revoked", stopped: { tasks: 1 } },
    });
  });

  it("may not change what concerns all accounts", async () => {
    const token = callers.get("operate") ?? "";
    expectRefusal(await ask("rotateSigningKey", token, {}), 403, "forbidden");
    expectRefusal(await ask("listSigningKeys", token, {}), 403, "forbidden");
  });

  it("makes tokens for this account, and for no more (G-A50)", async () => {
    const token = callers.get("operate") ?? "";
    const whose = { account_id: MINE, user_id: "made", ttl_seconds: 60 };
    const made = await ask("createAccessToken", token, {
      ...whose,
      role: "operate",
      accounts: [MINE],
      scopes: ["tokens"],
    });
    expect(made.status, made.text).toBe(200);
    expect(made.body.token).toMatch(/^cs_limited_operate_/);
    const human = await ask("createAccessToken", made.body.token, { ...whose, role: "human" });
    expect(human.status, human.text).toBe(200);
    for (const more of [{ role: "read" }, { role: "read", accounts: [MINE, "acct-2"] }]) {
      expectRefusal(await ask("createAccessToken", token, { ...whose, ...more }), 403, "forbidden");
    }
  });

  it("is not told of a token of this account that is for others too, or for all, and ends none (G-A51)", async () => {
    expect(rights).toMatch(/^cs_limited_read_/);
    expect(wider).toHaveLength(3);
    const named = (tokens: readonly { name?: string }[]) => tokens.map(({ name }) => name);
    const { body } = await ask("listAccessTokens", callers.get("read") ?? "", {});
    expect(named(body.tokens)).toContain(mine.name);
    for (const { id, name } of wider) {
      expect(named(body.tokens)).not.toContain(name);
      const found = await ask("find", callers.get("read") ?? "", { text: id });
      expect(found.body).toMatchObject({ tokens: [], more: false });
      for (const operation of ["revokeAccessToken", "rotateAccessToken"] as const) {
        expectRefusal(
          await ask(operation, callers.get("operate") ?? "", { id }),
          404,
          "invalid_request",
        );
      }
    }
    const { registry } = tested.authority;
    const after = await registry.listAccessTokens({ accountId: MINE });
    expect(after.filter(({ id }) => wider.some((each) => each.id === id))).toEqual(wider);
  });

  it("reads no event of such a token, and as many others as it asks for (G-A51)", async () => {
    const read = callers.get("read") ?? "";
    const headers = {
      authorization: `Bearer ${await tested.token("operate", "operator", "ops")}`,
      "x-request-id": "request-of-wider",
    };
    const body = { account_id: MINE, user_id: mine.user, role: "resource_server", ttl_seconds: 60 };
    const made = await tested.callAdmin("POST", "/v1/admin/tokens", { headers, body });
    expect(made.status, made.text).toBe(200);
    await make({ accountId: MINE, userId: mine.user, role: "human" });
    const { registry } = tested.authority;
    const all = await registry.listAuditEvents({ accountId: MINE, action: "access_token_created" });
    const hidden = [...wider.map(({ id }) => id), String(made.body.id)];
    const shown = all.filter(({ accessTokenId = "" }) => !hidden.includes(accessTokenId));
    expect(shown).toHaveLength(all.length - hidden.length);
    const idsOf = async (question: Question) =>
      (
        await ask("listAuditEvents", read, { action: "access_token_created", ...question })
      ).body.events.map(({ sequence }: { sequence: number }) => sequence);
    const sequences = shown.map(({ sequence }) => sequence);
    expect(await idsOf({ limit: 1_000 })).toEqual(sequences);
    expect(await idsOf({ last: 2 })).toEqual(sequences.slice(-2));
    const before = all.findIndex(({ accessTokenId }) => hidden.includes(accessTokenId ?? ""));
    const after = all[before]?.sequence ?? 0;
    const next = sequences.filter((sequence) => sequence > after);
    expect(await idsOf({ after: after - 1, limit: 1 })).toEqual(next.slice(0, 1));
    const found = await ask("find", read, { text: "request-of-wider" });
    expect(found.body).toMatchObject({ events: [], more: false });
  });

  it("finds its own tokens behind newer ones that it is not told of (G-A51)", async () => {
    const { body } = await ask("find", callers.get("read") ?? "", { text: "token_", limit: 1 });
    expect(body.tokens).toMatchObject([{ account_id: MINE }]);
  });

  it("finds its own agent by a key that others claim as well (G-A51)", async () => {
    const key = AgentKey.generate();
    for (const [accountId, userId] of [
      [MINE, "claims-first"],
      [THEIRS, "claims-second"],
      [THEIRS, "claims-third"],
    ] as const) {
      const token = await make({ accountId, userId, role: "human" });
      expect((await tested.registerAgent(token, key)).status).toBe(200);
    }
    const question = { text: key.publicKey.line, limit: 1 };
    const { body } = await ask("find", callers.get("read") ?? "", question);
    expect(body).toMatchObject({ agents: [{ account_id: MINE }], more: false });
  });

  it("is told the names next to a misspelt one as if no other account stood between them (G-A51)", async () => {
    const stop = callers.get("stop") ?? "";
    // Both are behind its own account in the order of the index, and one of them behind the other account as well.
    const hints = ["acct-1-a", "acct-1-z"].map(async (account_id) => {
      const { status, text } = await ask("revokeAccount", stop, { account_id });
      return `${status} ${text.replaceAll(account_id, "*")}`;
    });
    const [before, behind] = await Promise.all(hints);
    expect(before).toMatch(/names next to it: acct-1;/);
    expect(behind).toBe(before);
  });

  it("reads what a token for more accounts did in its own, and not which token that was (G-A51)", async () => {
    const { registry } = tested.authority;
    const tokens = [
      await make({ role: "stop", name: "of the provider" }),
      await make({ role: "stop", name: "of the customer", accounts: [MINE] }),
    ];
    for (const token of tokens) {
      const headers = { authorization: `Bearer ${token}`, "x-request-id": "request-of-stops" };
      for (const change of ["revoke", "restore"]) {
        const path = `/v1/admin/agents/${mine.agent}/${change}`;
        expect((await tested.callAdmin("POST", path, { headers })).status).toBe(200);
      }
    }
    const asked = { request_id: "request-of-stops", action: "agent_revoked", last: 10 };
    const [byAll, byOne] = await registry.listAuditEvents({
      requestId: asked.request_id,
      action: "agent_revoked",
    });
    expect(byAll).toMatchObject({ actorName: "of the provider" });
    const audit = callers.get("audit") ?? "";
    const { body, text } = await ask("listAuditEvents", audit, asked);
    expect(body.events).toMatchObject([
      { actor: "admin", agent_runtime_id: mine.agent },
      { actor: byOne?.actor, actor_name: "of the customer" },
    ]);
    const found = await ask("find", callers.get("read") ?? "", { text: asked.request_id });
    expect(found.body.events).toHaveLength(4);
    for (const answer of [text, found.text]) {
      expect(answer).not.toContain(byAll?.actor);
      expect(answer).not.toContain("of the provider");
    }
    const by = async (actor: string | undefined) =>
      (await ask("listAuditEvents", audit, { ...asked, actor })).body.events;
    expect(await by(byAll?.actor)).toEqual([]);
    expect(await by(byOne?.actor)).toHaveLength(1);
  });

  it("is told who reported a use, if that is not a token for more accounts (G-A51)", async () => {
    const report = async (token: string, seconds_ago: number) => {
      const headers = { authorization: `Bearer ${token}` };
      const uses = [{ agent_runtime_id: mine.agent, task_id: mine.task, seconds_ago }];
      const answer = await tested.call("POST", "/v1/assertion/uses", { headers, body: { uses } });
      expect(answer.status, answer.text).toBe(200);
    };
    const reporters = async () => {
      const read = callers.get("read") ?? "";
      const { body: agent } = await ask("getAgent", read, { id: mine.agent });
      const { body: task } = await ask("getTask", read, { id: mine.task });
      const { body: agents } = await ask("listAgents", read, { user_id: mine.user });
      const { body: tasks } = await ask("listTasks", read, { user_id: mine.user });
      const { body: byAgent } = await ask("find", read, { text: mine.agent });
      const { body: byTask } = await ask("find", read, { text: mine.task });
      const entries = [agent, task, ...agents.agents, ...tasks.tasks];
      const found = [...byAgent.agents, ...byTask.tasks];
      return [...entries, ...found].map((entry) => entry.last_used_reported_by);
    };
    await report(await make({ role: "resource_server", name: "of the provider" }), 9);
    expect(await reporters()).toEqual(Array.from({ length: 6 }, () => "token"));
    await report(await make({ role: "resource_server", name: "own", accounts: [MINE] }), 8);
    const named = expect.stringMatching(/^own \(token:token_/);
    expect(await reporters()).toEqual(Array.from({ length: 6 }, () => named));
  });

  it("ends such a token with the user that it names, and counts it (G-A51)", async () => {
    const userId = "gateway-in-mine";
    const token = await make({ accountId: MINE, userId, role: "resource_server" });
    const look = () =>
      tested.call("GET", `/v1/agent/${theirs.agent}`, {
        headers: { authorization: `Bearer ${token}` },
      });
    expect((await look()).status).toBe(200);
    const stopped = await ask("revokeUser", callers.get("stop") ?? "", {
      account_id: MINE,
      user_id: userId,
    });
    expect(stopped.body).toMatchObject({ stopped: { tokens: 1 } });
    expectRefusal(await look(), 403, "forbidden");
  });

  it("is not told which agent of another account a refused request claimed", async () => {
    const human = await make({ accountId: MINE, userId: "user-mine", role: "human" });
    const headers = { authorization: `Bearer ${human}` };
    await tested.call("POST", `/v1/agent/${theirs.agent}/revoke`, { headers });
    const { text, body } = await ask("listAuditEvents", callers.get("audit") ?? "", { last: 1 });
    expect(body.events).toMatchObject([{ action: "agent_revocation", user_id: "user-mine" }]);
    expect(bytesOf(text, theirs)).toEqual([]);
  });
});

describe("a resource server's token for one account", () => {
  const look = (token: string, path: string) =>
    tested.call("GET", path, { headers: { authorization: `Bearer ${token}` } });

  it("is answered about agents and tasks of others as if there were none (G-A51)", async () => {
    const token = await make({ role: "resource_server", accounts: [MINE] });
    for (const path of [
      `/v1/agent/${theirs.agent}`,
      `/v1/agent/${theirs.agent}/task/${theirs.task}`,
    ]) {
      expectRefusal(await look(token, path), 404, "unknown_agent");
    }
    expect((await look(token, `/v1/agent/${mine.agent}/task/${mine.task}`)).status).toBe(200);
    const all = await make({ role: "resource_server" });
    expect((await look(all, `/v1/agent/${theirs.agent}`)).status).toBe(200);
  });

  it("has their assertions checked as those of unknown agents (G-A51)", async () => {
    const assertion = signAssertion({
      key: theirAgent.key,
      agentRuntimeId: theirs.agent,
      taskId: theirs.task,
      timestamp: formatTimestamp(tested.clock.nowMs),
    });
    const introspect = async (token: string) =>
      (
        await tested.call("POST", "/v1/assertion/introspect", {
          headers: { authorization: `Bearer ${token}` },
          body: { authorization: assertion },
        })
      ).body;
    expect(await introspect(await make({ role: "resource_server" }))).toMatchObject({
      active: true,
    });
    const scoped = await introspect(await make({ role: "resource_server", accounts: [MINE] }));
    expect(scoped).toMatchObject({ active: false, code: "unknown_agent" });
    expect(bytesOf(JSON.stringify(scoped), theirs)).toEqual([]);
  });
});

describe("the accounts of a token", () => {
  it.each([
    ["none", { accounts: [] }],
    ["one that cannot be an account", { accounts: ["a b"] }],
    ["more than a hundred", { accounts: Array.from({ length: 101 }, (_, i) => `acct-${i}`) }],
    ["no list", { accounts: "acct-1" as unknown as string[] }],
    ["any of a human's", { role: "human", accounts: [MINE] }],
  ] as const)("cannot be %s", async (_, options) => {
    await expectRejection(make(options), AgentAuthorityError, "invalid_request");
  });

  it("are listed, each once", async () => {
    await make({ userId: "listed", accounts: ["acct-3", "acct-2", "acct-3"] });
    expect(await tested.authority.registry.listAccessTokens({ userId: "listed" })).toMatchObject([
      { accounts: ["acct-2", "acct-3"] },
    ]);
  });
});
