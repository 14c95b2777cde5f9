import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { AuthorityError } from "@countersign/agent-identity/authority-client";
import { expectRejection } from "@countersign/testing/vitest";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AgentAuthorityError } from "../src/index.js";
import { remoteRegistry } from "../src/remote-registry.js";
import { expectRefusal } from "./expect-refusal.js";
import { TestedAuthority } from "./start-authority.js";

const GETS = [
  "tokens",
  "agents",
  "agents/x",
  "tasks",
  "tasks/x",
  "users",
  "accounts",
  "audit",
  "signing-keys",
];
const POSTS = [
  "tokens",
  "tokens/x/rotate",
  "tokens/x/revoke",
  "agents/x/revoke",
  "agents/x/restore",
  "tasks/x/revoke",
  "tasks/x/restore",
  "users/revoke",
  "users/restore",
  "accounts/revoke",
  "accounts/restore",
  "identities",
  "signing-keys/rotate",
];

let tested: TestedAuthority;
let operate: string;
let read: string;

beforeAll(async () => {
  tested = await TestedAuthority.start({ generations: ["A", "B", "C"] });
  operate = await tested.token("operate", "operator", "ops");
  read = await tested.token("read", "reader", "ops");
});

afterAll(() => tested[Symbol.asyncDispose]());

function ask(method: string, path: string, token?: string, body?: unknown, headers = {}) {
  return tested.callAdmin(method, `/v1/admin/${path}`, {
    headers: { ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), ...headers },
    body,
  });
}

/** Sends a request as it stands here, and gives the status of its answer. */
async function rawStatus(head: string): Promise<number> {
  const { hostname, port } = new URL(await tested.adminUrl());
  const socket = connect({ host: hostname, port: Number(port) });
  socket.write(`${head}\r\nConnection: close\r\n\r\n`);
  return Number((await text(socket)).split(" ", 2)[1]);
}

describe("an operator", () => {
  it("is refused without a token of an operator, on any route (G-A28)", async () => {
    const others = ["human", "resource_server"] as const;
    for (const token of [
      undefined,
      "x",
      ...(await Promise.all(others.map((role) => tested.token(role)))),
    ]) {
      for (const path of GETS) expectRefusal(await ask("GET", path, token), 401, "unauthenticated");
      for (const path of POSTS)
        expectRefusal(await ask("POST", path, token), 401, "unauthenticated");
    }
  });

  it("with the role read may call what changes nothing, and nothing else (G-A28)", async () => {
    for (const path of POSTS) expectRefusal(await ask("POST", path, read), 403, "forbidden");
    for (const token of [read, operate]) {
      for (const path of GETS.filter((each) => !each.endsWith("/x"))) {
        expect((await ask("GET", path, token)).status, path).toBe(200);
      }
    }
  });

  it("is refused if the token, its user or its account was revoked", async () => {
    const { registry } = tested.authority;
    const left = await tested.token("operate", "left", "ops");
    const { id } = (await registry.listAccessTokens({ userId: "left" }))[0] ?? { id: "" };
    await registry.revokeAccessToken(id);
    expectRefusal(await ask("GET", "agents", left), 401, "unauthenticated");
    const barred = await tested.token("operate", "barred", "ops");
    await registry.revokeUser("ops", "barred");
    expectRefusal(await ask("GET", "agents", barred), 403, "forbidden");
  });

  it("uses no token of theirs on the public listener, which has no admin API (G-A28)", async () => {
    const headers = { authorization: `Bearer ${operate}` };
    expectRefusal(
      await tested.call("GET", "/v1/admin/agents", { headers }),
      404,
      "invalid_request",
    );
    expectRefusal(await tested.call("GET", "/v1/whoami", { headers }), 401, "unauthenticated");
    expectRefusal(await tested.callAdmin("GET", "/v1/whoami", { headers }), 404, "invalid_request");
  });
});

describe("an admin listener", () => {
  it("refuses every other Host than its own, so that no name leads a browser to it (G-A29)", async () => {
    const { port } = new URL(await tested.adminUrl());
    const bearer = `\r\nAuthorization: Bearer ${operate}`;
    for (const host of [
      "evil.example",
      `evil.example:${port}`,
      "127.0.0.1",
      `127.0.0.1:1`,
      `x@127.0.0.1:${port}`,
      `127.0.0.1:${port}/`,
    ]) {
      expect(await rawStatus(`GET /v1/admin/agents HTTP/1.1\r\nHost: ${host}${bearer}`), host).toBe(
        403,
      );
    }
    const twice = `Host: 127.0.0.1:${port}\r\nHost: 127.0.0.1:${port}`;
    expect(
      await rawStatus(`GET /v1/admin/agents HTTP/1.1\r\n${twice}${bearer}`),
    ).toBeGreaterThanOrEqual(400);
    for (const host of [`127.0.0.1:${port}`, `LOCALHOST:${port}`, `[::1]:${port}`]) {
      expect(await rawStatus(`GET /v1/admin/agents HTTP/1.1\r\nHost: ${host}${bearer}`), host).toBe(
        200,
      );
    }
  });

  it("is called by the names that it is given, and by no malformed one", async () => {
    const { url } = await tested.authority.listenAdmin({
      host: "127.0.0.1",
      port: 0,
      hosts: ["Admin.example:8443"],
    });
    const { port } = new URL(url);
    const status = async (host: string) => {
      const socket = connect({ host: "127.0.0.1", port: Number(port) });
      socket.write(`GET /healthz HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
      return Number((await text(socket)).split(" ", 2)[1]);
    };
    expect(await status("admin.example:8443")).toBe(200);
    expect(await status("admin.example")).toBe(403);
    for (const host of ["", "http://admin.example", "*", "admin.example/"]) {
      await expectRejection(
        tested.authority.listenAdmin({ host: "127.0.0.1", port: 0, hosts: [host] }),
        AgentAuthorityError,
        "config_invalid",
      );
    }
  });

  it("refuses pages of a browser, and never allows one by CORS (G-A29)", async () => {
    for (const field of ["origin", "sec-fetch-site", "access-control-request-method"]) {
      for (const path of ["agents", "nothing"]) {
        const answer = await ask("GET", path, operate, undefined, { [field]: "http://localhost" });
        expectRefusal(answer, 403, "forbidden");
        expect(
          Object.keys(answer.headers).filter((name) => name.startsWith("access-control-")),
        ).toEqual([]);
      }
    }
    const preflight = await ask("OPTIONS", "agents", undefined, undefined, {
      "access-control-request-method": "GET",
    });
    expectRefusal(preflight, 403, "forbidden");
  });
});

describe("the admin API", () => {
  it("refuses parameters and bodies that it does not know (G-A30)", async () => {
    for (const query of [
      "limit=0",
      "limit=1001",
      "limit=x",
      "limit=1&limit=2",
      "acount_id=acct-1",
      "state=dead",
      "after=a/b",
      "account_id=",
    ]) {
      expectRefusal(await ask("GET", `agents?${query}`, read), 400, "invalid_request");
    }
    for (const query of [
      "after=-1",
      "after=x",
      "code=nope",
      "action=nope",
      "last=5&limit=5",
      "last=0",
    ]) {
      expectRefusal(await ask("GET", `audit?${query}`, read), 400, "invalid_request");
    }
    expectRefusal(await ask("GET", "users?after=acct-1", read), 400, "invalid_request");
    for (const body of [
      undefined,
      null,
      {},
      { account_id: "a b", user_id: "u" },
      { account_id: "a", user_id: "u", more: 1 },
    ]) {
      expectRefusal(await ask("POST", "users/revoke", operate, body), 400, "invalid_request");
    }
    const token = { account_id: "acct-1", user_id: "user-1", role: "root", ttl_seconds: 60 };
    expectRefusal(await ask("POST", "tokens", operate, token), 400, "invalid_request");
  });

  it("answers 404 with the code of what is not there", async () => {
    for (const action of ["", "/revoke", "/restore"]) {
      const method = action === "" ? "GET" : "POST";
      expectRefusal(await ask(method, `agents/agent_x${action}`, operate), 404, "unknown_agent");
      expectRefusal(await ask(method, `tasks/task_x${action}`, operate), 404, "unknown_task");
    }
    expectRefusal(await ask("POST", "tokens/token_x/revoke", operate), 404, "invalid_request");
    const unknownUser = { account_id: "nowhere", user_id: "unknown" };
    expectRefusal(await ask("POST", "users/restore", operate, unknownUser), 404, "invalid_request");
    expectRefusal(
      await ask("POST", "accounts/restore", operate, { account_id: "nowhere" }),
      404,
      "invalid_request",
    );
  });

  it("finds nothing by an invalid id, also if the database would fail on it", async () => {
    for (const id of ["%00", "a%00b", "a%2Fb", "%E2%82%AC"]) {
      expectRefusal(await ask("GET", `agents/${id}`, read), 404, "unknown_agent");
      expectRefusal(await ask("POST", `agents/${id}/revoke`, operate), 404, "unknown_agent");
      expectRefusal(await ask("GET", `tasks/${id}`, read), 404, "unknown_task");
      expectRefusal(await ask("POST", `tasks/${id}/restore`, operate), 404, "unknown_task");
      expectRefusal(await ask("POST", `tokens/${id}/revoke`, operate), 404, "invalid_request");
    }
    expectRefusal(await ask("GET", "users?after=a,%00", read), 400, "invalid_request");
  });

  it("says of identity JWTs that they are not served, where they are not", async () => {
    await using other = await TestedAuthority.start();
    const body = { account_id: "acct-1", user_id: "user-1", ttl_seconds: 60 };
    const headers = { authorization: `Bearer ${await other.token("operate")}` };
    expectRefusal(
      await other.callAdmin("POST", "/v1/admin/identities", { headers, body }),
      403,
      "forbidden",
    );
  });

  it("names the token, the address and the request in the audit log", async () => {
    const { id } = await tested.agent("audited");
    const revoked = await ask("POST", `agents/${id}/revoke`, operate, undefined, {
      "x-request-id": "request-7",
    });
    expect(revoked.body).toMatchObject({ agent_runtime_id: id, state: "revoked" });
    const { body } = await ask("GET", `audit?agent_runtime_id=${id}&action=agent_revoked`, read);
    expect(body.events).toMatchObject([
      {
        actor: expect.stringMatching(/^admin:token_/),
        address: "127.0.0.1",
        request_id: "request-7",
      },
    ]);
    expect(JSON.stringify(body)).not.toContain(operate);
  });
});

describe("what the admin API refuses", () => {
  it("is in the audit log, with the token where it held", async () => {
    const headers = { "x-request-id": "refused-1" };
    expectRefusal(
      await ask("POST", "accounts/revoke", read, { account_id: "acct-1" }, headers),
      403,
      "forbidden",
    );
    expectRefusal(
      await ask("GET", "agents", "cs_operate_x", undefined, headers),
      401,
      "unauthenticated",
    );
    const events = await tested.authority.registry.listAuditEvents({ action: "admin", last: 2 });
    expect(events).toMatchObject([
      {
        code: "forbidden",
        actor: expect.stringMatching(/^admin:token_/),
        accountId: "ops",
        userId: "reader",
        requestId: "refused-1",
      },
      { code: "unauthenticated", requestId: "refused-1" },
    ]);
    expect(Object.keys(events[1] ?? {})).not.toContain("actor");
    expect(Object.keys(events[1] ?? {})).not.toContain("accountId");
  });
});

describe("a registry over the admin API", () => {
  const remote = async (token = operate, url?: string) =>
    remoteRegistry({ url: url ?? (await tested.adminUrl()), token, attempts: 1 });

  it("refuses plain http to other machines, a wrong token, a wrong role and a wrong server", async () => {
    expect(() => remoteRegistry({ url: "http://admin.example", token: operate })).toThrow(
      /plain http/,
    );
    await expectRejection(
      (await remote("cs_operate_x")).listAgents(),
      AuthorityError,
      "unauthenticated",
    );
    await expectRejection(
      (await remote(read)).revokeAccount("acct-1"),
      AuthorityError,
      "forbidden",
    );
    const wrong = await remote(operate, tested.url);
    await expectRejection(wrong.revokeAccessToken("token_x"), AuthorityError, "invalid_request");
    await expectRejection(wrong.getAgent("agent_x"), AuthorityError, "invalid_request");
    await expectRejection(
      (await remote()).listAgents({ limit: 0 }),
      AgentAuthorityError,
      "invalid_request",
    );
  });

  it("finds nothing where there is nothing", async () => {
    const registry = await remote();
    expect(await registry.getAgent("agent_x")).toBeUndefined();
    expect(await registry.restoreTask("task_x")).toBeUndefined();
    expect(await registry.revokeAccessToken("token_x")).toBeUndefined();
    expect(await registry.restoreUser("nowhere", "unknown")).toBeUndefined();
    expect(await registry.restoreAccount("nowhere")).toBeUndefined();
  });

  it("answers the same as the registry beside the database, page by page", async () => {
    const { id, key } = await tested.agent("many");
    for (let i = 0; i < 3; i += 1) await tested.registerTask(id, key);
    const local = tested.authority.registry;
    const registry = await remote(read);
    const same = (a: unknown, b: unknown) => expect(a).toStrictEqual(b);
    await registry.listAgents({ limit: 1 });
    for (const user of ["reader", "many"]) await tested.useNoted(user);
    same(await registry.listAccessTokens(), await local.listAccessTokens());
    same(await registry.listAgents({ userId: "many" }), await local.listAgents({ userId: "many" }));
    same(
      await registry.listTasks({ agentRuntimeId: id }),
      await local.listTasks({ agentRuntimeId: id }),
    );
    same(await registry.listTasks({ limit: 2 }), await local.listTasks({ limit: 2 }));
    const [first] = await local.listTasks({ agentRuntimeId: id });
    const after = first?.taskId;
    same(
      await registry.listTasks({ agentRuntimeId: id, after }),
      await local.listTasks({ agentRuntimeId: id, after }),
    );
    same(await registry.listUsers(), await local.listUsers());
    const last = { accountId: "acct-1", userId: "many" };
    same(
      await registry.listUsers({ after: last, limit: 1 }),
      await local.listUsers({ after: last, limit: 1 }),
    );
    same(await registry.listAccounts(), await local.listAccounts());
    same(await registry.listAuditEvents(), await local.listAuditEvents());
    same(await registry.listAuditEvents({ last: 3 }), await local.listAuditEvents({ last: 3 }));
    same(await registry.getAgent(id), await local.getAgent(id));
    same(await registry.listSigningKeys(), await local.listSigningKeys());
  });

  it("reads more than one page", async () => {
    const { registry: local } = tested.authority;
    for (let i = 0; i < 205; i += 1)
      await local.revokeAccount(`page-${i}`, { evenIfUnknown: true });
    const registry = await remote(read);
    expect(await registry.listAccounts()).toHaveLength((await local.listAccounts()).length);
    expect(await registry.listAccounts({ limit: 203 })).toHaveLength(203);
    const events = await registry.listAuditEvents({ action: "account_revoked", limit: 203 });
    expect(new Set(events.map(({ sequence }) => sequence)).size).toBe(203);
  });

  it("changes what the registry beside the database changes", async () => {
    const registry = await remote();
    const { id, key } = await tested.agent("changed");
    await tested.registerTask(id, key);
    const [task] = await registry.listTasks({ agentRuntimeId: id });
    const taskId = task?.taskId ?? "";
    expect(await registry.revokeTask(taskId)).toMatchObject({ state: "revoked" });
    expect(await registry.restoreTask(taskId)).toMatchObject({ state: "active" });
    expect(await registry.revokeAgent(id)).toMatchObject({ state: "revoked" });
    expect(await registry.restoreAgent(id)).toMatchObject({ state: "active" });
    expect(await registry.revokeUser("acct-1", "changed")).toMatchObject({ state: "revoked" });
    expect(await registry.restoreUser("acct-1", "changed")).toMatchObject({ state: "active" });
    expect(await registry.revokeAccount("acct-2", { evenIfUnknown: true })).toMatchObject({
      state: "revoked",
    });
    expect(await registry.restoreAccount("acct-2")).toMatchObject({ state: "active" });
    const human = { accountId: "acct-1", userId: "user-1", role: "human", ttlSeconds: 60 } as const;
    const created = await registry.createAccessToken(human);
    const headers = { authorization: `Bearer ${created.token}` };
    expect((await tested.call("GET", "/v1/whoami", { headers })).status).toBe(200);
    expect(await registry.revokeAccessToken(created.id)).toMatchObject({ state: "revoked" });
    expect((await tested.call("GET", "/v1/whoami", { headers })).status).toBe(401);
    const issued = await registry.issueIdentity({
      accountId: "acct-1",
      userId: "user-1",
      ttlSeconds: 60,
      planType: "team",
    });
    expect(await registry.getAgent(issued.agentRuntimeId)).toMatchObject({ state: "active" });
    expect(await registry.rotateSigningKey()).toMatchObject({ state: "active" });
    expect(await registry.listSigningKeys()).toHaveLength(2);
  });
});
