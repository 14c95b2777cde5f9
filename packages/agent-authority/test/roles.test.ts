import { AuthorityError } from "@countersign/agent-identity/authority-client";
import { expectRejection } from "@countersign/testing/vitest";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CreateAccessTokenOptions, TokenRole } from "../src/index.js";
import { ADMIN_OPERATIONS } from "../src/operations/admin-operations.js";
import { parametersOf } from "../src/operations/operation-path.js";
import { remoteRegistry } from "../src/remote-registry.js";
import { expectRefusal } from "./expect-refusal.js";
import { type Answer, TestedAuthority } from "./start-authority.js";

// What each operation may be called by. `tokens` stands for the role operate with that scope.
const ALLOWED: Readonly<Record<keyof typeof ADMIN_OPERATIONS, readonly Caller[]>> = {
  listAccessTokens: ["read", "operate", "tokens"],
  createAccessToken: ["tokens"],
  rotateAccessToken: ["tokens"],
  revokeAccessToken: ["stop", "operate", "tokens"],
  listAgents: ["read", "operate", "tokens"],
  getAgent: ["read", "operate", "tokens"],
  revokeAgent: ["stop", "operate", "tokens"],
  restoreAgent: ["stop", "operate", "tokens"],
  listTasks: ["read", "operate", "tokens"],
  getTask: ["read", "operate", "tokens"],
  revokeTask: ["stop", "operate", "tokens"],
  restoreTask: ["stop", "operate", "tokens"],
  listUsers: ["read", "operate", "tokens"],
  revokeUser: ["stop", "operate", "tokens"],
  restoreUser: ["stop", "operate", "tokens"],
  listAccounts: ["read", "operate", "tokens"],
  revokeAccount: ["stop", "operate", "tokens"],
  restoreAccount: ["stop", "operate", "tokens"],
  find: ["read", "operate", "tokens"],
  listAuditEvents: ["read", "audit", "operate", "tokens"],
  issueIdentity: ["tokens"],
  listSigningKeys: ["read", "operate", "tokens"],
  rotateSigningKey: ["operate", "tokens"],
};
const CALLERS = ["human", "resource_server", "read", "audit", "stop", "operate", "tokens"] as const;
type Caller = (typeof CALLERS)[number];

// What makes a request whole, where it needs something. Nothing of these names is there: what is allowed finds nothing, and changes nothing.
const NOWHERE = { account_id: "nowhere", user_id: "unknown" };
const BODIES: Partial<Record<keyof typeof ADMIN_OPERATIONS, object>> = {
  createAccessToken: { ...NOWHERE, role: "human", ttl_seconds: 60 },
  issueIdentity: { ...NOWHERE, ttl_seconds: 60 },
  revokeUser: NOWHERE,
  restoreUser: NOWHERE,
  revokeAccount: { account_id: "nowhere" },
  restoreAccount: { account_id: "nowhere" },
};

let tested: TestedAuthority;
const tokens = new Map<Caller, string>();

beforeAll(async () => {
  tested = await TestedAuthority.start({ generations: ["A", "B", "C"], rateLimits: "off" });
  for (const caller of CALLERS) {
    const role: TokenRole = caller === "tokens" ? "operate" : caller;
    tokens.set(caller, await make({ role, ...(caller === "tokens" && { scopes: ["tokens"] }) }));
  }
});

afterAll(() => tested[Symbol.asyncDispose]());

async function make(options: Partial<CreateAccessTokenOptions>): Promise<string> {
  const whose = { accountId: "ops", userId: "operator", role: "read", ttlSeconds: 600 } as const;
  return (await tested.authority.registry.createAccessToken({ ...whose, ...options })).token;
}

function call(name: keyof typeof ADMIN_OPERATIONS, token: string): Promise<Answer> {
  const { method, path } = ADMIN_OPERATIONS[name];
  const filled = parametersOf(path).reduce((text, part) => text.replace(`{${part}}`, "x"), path);
  const body = method === "post" ? (BODIES[name] ?? {}) : undefined;
  return tested.callAdmin(method.toUpperCase(), name === "find" ? `${filled}?text=x` : filled, {
    headers: { authorization: `Bearer ${token}` },
    body,
  });
}

describe.each(Object.keys(ALLOWED) as (keyof typeof ADMIN_OPERATIONS)[])("%s", (name) => {
  it.each(CALLERS)("is refused or allowed to %s as the table says (G-A28)", async (caller) => {
    const answer = await call(name, tokens.get(caller) ?? "");
    if (ALLOWED[name].includes(caller)) {
      expect([200, 404], answer.text).toContain(answer.status);
    } else if (caller === "human" || caller === "resource_server") {
      expectRefusal(answer, 401, "unauthenticated");
    } else {
      expectRefusal(answer, 403, "forbidden");
    }
  });
});

describe("a token that makes tokens", () => {
  const remote = async (token: string) =>
    remoteRegistry({ url: await tested.adminUrl(), token, attempts: 1 });
  const wanted = { accountId: "ops", userId: "other", ttlSeconds: 60 } as const;

  it("needs the scope for it, and gives it on (G-A50)", async () => {
    const without = await remote(await make({ role: "operate" }));
    for (const role of ["human", "resource_server", "read", "audit", "stop", "operate"] as const) {
      const making = without.createAccessToken({ ...wanted, role });
      await expectRejection(making, AuthorityError, "forbidden");
    }
    await expectRejection(without.issueIdentity(wanted), AuthorityError, "forbidden");
    const having = await remote(tokens.get("tokens") ?? "");
    const made = await having.createAccessToken({ ...wanted, role: "operate", scopes: ["tokens"] });
    const again = (await remote(made.token)).createAccessToken({ ...wanted, role: "human" });
    expect((await again).token).toMatch(/^cs_human_/);
  });

  it("leaves out the scope unless it is asked for", async () => {
    const having = await remote(tokens.get("tokens") ?? "");
    const made = await having.createAccessToken({ ...wanted, role: "operate" });
    const [info] = await tested.authority.registry.listAccessTokens({ userId: "other" });
    expect(info).toBeDefined();
    const making = (await remote(made.token)).createAccessToken({ ...wanted, role: "human" });
    await expectRejection(making, AuthorityError, "forbidden");
  });
});

describe("a token that only stops", () => {
  it("learns that there is no such thing as others do, though it may list nothing", async () => {
    const registry = remoteRegistry({
      url: await tested.adminUrl(),
      token: tokens.get("stop") ?? "",
      attempts: 1,
    });
    expect(await registry.revokeAgent("agent_x")).toBeUndefined();
    expect(await registry.revokeAccessToken("token_x")).toBeUndefined();
    expect(await registry.restoreUser("elsewhere", "unknown")).toBeUndefined();
  });
});

describe("the name of a token", () => {
  it("is shown in lists, and beside the actor of what is done or refused with it", async () => {
    const token = await make({ role: "stop", name: "Ada's laptop", userId: "ada" });
    const { registry } = tested.authority;
    expect(await registry.listAccessTokens({ userId: "ada" })).toMatchObject([
      { name: "Ada's laptop", role: "stop" },
    ]);
    const { id } = await tested.agent("named");
    const headers = { authorization: `Bearer ${token}` };
    await tested.callAdmin("POST", `/v1/admin/agents/${id}/revoke`, { headers });
    await tested.callAdmin("GET", "/v1/admin/agents", { headers });
    const human = await make({ role: "human", name: "Ada's runner", userId: "ada" });
    const bearer = { authorization: `Bearer ${human}` };
    await tested.call("POST", `/v1/agent/${id}/revoke`, { headers: bearer });
    const events = await registry.listAuditEvents({ last: 3 });
    expect(events).toMatchObject([
      { action: "admin", code: "forbidden", actorName: "Ada's laptop" },
      { action: "access_token_created" },
      { action: "agent_revocation", actorName: "Ada's runner" },
    ]);
    expect(events[1]).not.toHaveProperty("actorName");
    const [revoked] = await registry.listAuditEvents({ action: "agent_revoked", last: 1 });
    expect(revoked).toMatchObject({
      actor: expect.stringMatching(/^admin:token_/),
      actorName: "Ada's laptop",
    });
  });

  it("goes with a biscuit", async () => {
    const token = await make({ role: "human", name: "Ada's runner", userId: "ada" });
    await tested.biscuit(token, "/v1/agent/register");
    const [event] = await tested.authority.registry.listAuditEvents({ last: 1 });
    expect(event).toMatchObject({ action: "biscuit_issued", actorName: "Ada's runner" });
  });
});
