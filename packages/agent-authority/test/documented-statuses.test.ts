import { signAssertion } from "@countersign/agent-assertion";
import {
  createKeyRotationRequest,
  createOwnEndRequest,
} from "@countersign/agent-identity/authority-client";
import { AgentKey, formatTimestamp } from "@countersign/agent-key";
import { afterAll, beforeAll, expect, test } from "vitest";
import { adminListener } from "../src/http/admin/admin-listener.js";
import { createDocument } from "../src/http/openapi/create-document.js";
import { publicListener } from "../src/http/public-listener.js";
import { AgentAuthorityError, type AuthorityOptions } from "../src/index.js";
import { parametersOf } from "../src/operations/operation-path.js";
import { adminCheckerOf, publicCheckerOf } from "./answer-checkers.js";
import { sendRaw } from "./raw-request.js";
import {
  type Answer,
  agentBody,
  biscuitHeaders,
  type CallOptions,
  TestedAuthority,
  taskBody,
  taskPath,
} from "./start-authority.js";

// Each operation is sent every request that a status answers, also those of statuses that its document does not name. Each answer is held
// against the document, so that a status that is not documented fails at once; a documented status that nothing brought about fails at the end.

const OPTIONS = { generations: ["A", "B", "C"], maxLiveTasks: 1 } as const satisfies Partial<
  Omit<AuthorityOptions, "store">
>;
const LONG = "x".repeat(2_000);
const LARGE = JSON.stringify("x".repeat(100_000));
const UNSOUND_KEY = "ssh-ed25519 AAAA";

interface Target {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly isAdmin: boolean;
}

const LISTENERS = [
  {
    isAdmin: false,
    listener: publicListener({ generations: new Set(OPTIONS.generations), publicUrl: undefined }),
  },
  { isAdmin: true, listener: adminListener() },
];
const TARGETS = LISTENERS.flatMap(({ isAdmin, listener }) =>
  Object.entries(listener.operations).map(([id, { method, path }]): Target => {
    return { id, method: method.toUpperCase(), path, isAdmin };
  }),
);

let tested: TestedAuthority;
let identity: string;
const answered = new Map<string, Set<number>>();

beforeAll(async () => {
  tested = await TestedAuthority.start({ ...OPTIONS, rateLimits: "off" });
  identity = await issueIdentity(tested);
});

afterAll(() => tested[Symbol.asyncDispose]());

async function issueIdentity({ authority }: TestedAuthority): Promise<string> {
  const of = { accountId: "acct-1", userId: "issued", ttlSeconds: 86_400 };
  return (await authority.registry.issueIdentity(of)).token;
}

function note({ id, isAdmin }: Target, { status }: { readonly status: number }): void {
  const key = keyOf(isAdmin, id);
  answered.set(key, (answered.get(key) ?? new Set()).add(status));
}

function keyOf(isAdmin: boolean, id: string): string {
  return `${isAdmin ? "admin" : "public"} ${id}`;
}

/** The path with a value for each of its parameters, `x` unless it is given. */
function fill(path: string, value = "x"): string {
  return path.replace(/\{\w+\}/g, value);
}

async function call(
  target: Target,
  options: CallOptions = {},
  path = fill(target.path),
  to = tested,
) {
  const answer: Answer = target.isAdmin
    ? await to.callAdmin(target.method, path, options)
    : await to.call(target.method, path, options);
  note(target, answer);
  return answer;
}

async function callRaw(target: Target, head: string, to = tested): Promise<void> {
  const base = target.isAdmin ? await to.adminUrl() : to.url;
  const path = fill(target.path);
  const answer = await sendRaw(base, `${target.method} ${path} HTTP/1.1\r\n${head}`);
  const checker = target.isAdmin
    ? adminCheckerOf()
    : publicCheckerOf({ generations: new Set(OPTIONS.generations), publicUrl: undefined });
  checker.check(target.method, path, answer);
  note(target, answer);
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

async function sendWrongForms(target: Target): Promise<void> {
  await callRaw(target, "\r\n");
  await callRaw(target, `host: localhost\r\nx-large: ${"x".repeat(50_000)}\r\n\r\n`);
  await callRaw(target, "host: localhost\r\nexpect: the-unexpected\r\ncontent-length: 0\r\n\r\n");
  if (parametersOf(target.path).length > 0) await call(target, {}, fill(target.path, LONG));
  await call(target, { headers: bearer(identity) });
  if (target.method !== "POST") return;
  await call(target, { body: LARGE });
  await call(target, { body: "text", headers: { "content-type": "text/plain" } });
}

async function sendInTrouble(): Promise<void> {
  await using slow = await TestedAuthority.start({ ...OPTIONS, limits: { requestHeadMs: 100 } });
  await Promise.all(TARGETS.map((target) => callRaw(target, "host: localhost\r\n", slow)));
  await using broken = await TestedAuthority.start({ ...OPTIONS, rateLimits: "off" });
  const leaked = { headers: bearer(await issueIdentity(broken)) };
  await broken.adminUrl();
  const failures = [
    new TypeError("a defect"),
    new AgentAuthorityError("unreachable", "the database cannot be used"),
  ];
  const { rows } = broken.store;
  for (const failure of failures) {
    Object.defineProperty(broken.store, "rows", {
      configurable: true,
      get() {
        throw failure;
      },
    });
    for (const target of TARGETS) await call(target, leaked, undefined, broken);
  }
  Object.defineProperty(broken.store, "rows", { value: rows });
  await using limited = await TestedAuthority.start({
    ...OPTIONS,
    rateLimits: { refusalsPerMinute: 1, addressPerMinute: 1 },
  });
  const again = { headers: bearer(await issueIdentity(limited)) };
  for (const target of [...TARGETS.slice(0, 1), ...TARGETS]) {
    await call(target, again, undefined, limited);
  }
}

async function sendToPublicListener(): Promise<void> {
  const revoked = await tested.token("human", "revoked");
  const revokedServer = await tested.token("resource_server", "revoked");
  await tested.authority.registry.revokeUser("acct-1", "revoked");
  const server = { headers: bearer(await tested.token("resource_server", "server")) };
  const { id, key, token } = await tested.agent();
  const on = (name: string) => TARGETS.find((it) => it.id === name && !it.isAdmin) as Target;
  const forbidden = { headers: bearer(revoked) };

  const url = `${tested.url}/v1/agent/register`;
  await call(on("mintBiscuit"), { headers: biscuitHeaders(token, url) });
  await call(on("mintBiscuit"), { headers: biscuitHeaders(revoked, url) });
  const register = { headers: bearer(token), body: agentBody(AgentKey.generate()) };
  await call(on("registerAgent"), register);
  await call(on("registerAgent"), { ...register, ...forbidden });
  await call(on("registerAgent"), {
    ...register,
    body: { ...register.body, agent_public_key: UNSOUND_KEY },
  });

  const registerTask = () =>
    call(on("registerTask"), { body: taskBody(id, key, tested.clock.nowMs) }, taskPath(id));
  await registerTask();
  await registerTask();
  await claimTwice(on("registerTask"));

  const next = AgentKey.generate();
  const rotation = {
    authority: tested.url,
    agentRuntimeId: id,
    timestamp: formatTimestamp(tested.clock.nowMs),
  };
  const body = createKeyRotationRequest(rotation, { current: key, next });
  const rotate = (options: CallOptions, of = id) =>
    call(on("rotateKey"), { body, ...options }, `/v1/agent/${of}/key`);
  await rotate(forbidden);
  await rotate({ headers: register.headers, body: { ...body, agent_public_key: UNSOUND_KEY } });
  await rotate({ headers: register.headers }, "agent_unknown");
  await rotate({ headers: register.headers });

  const introspect = { body: { authorization: "" } };
  await call(on("introspectAssertion"), { ...server, ...introspect });
  await call(on("introspectAssertion"), { headers: bearer(revokedServer), ...introspect });
  const report = { body: { uses: [] } };
  await call(on("reportUses"), { ...server, ...report });
  await call(on("reportUses"), { headers: bearer(revokedServer), ...report });
  for (const [name, path] of [
    ["getAgent", `/v1/agent/${id}`],
    ["getTask", `/v1/agent/${id}/task/task_x`],
  ] as const) {
    const { headers } = await call(on(name), server, path);
    await call(
      on(name),
      { headers: { ...server.headers, "if-none-match": String(headers.etag) } },
      path,
    );
    await call(on(name), { headers: bearer(revokedServer) }, path);
    await call(on(name), server, path.replace(id, "agent_unknown"));
  }

  const taskId =
    (await tested.authority.registry.listTasks({ agentRuntimeId: id }))[0]?.taskId ?? "";
  const timestamp = formatTimestamp(tested.clock.nowMs);
  const authorization = signAssertion({ key: next, agentRuntimeId: id, taskId, timestamp });
  await call(on("assertionWhoami"), { headers: { authorization } });
  await call(on("whoami"), { headers: register.headers });
  await call(on("whoami"), forbidden);
  await call(on("refreshToken"), { body: {} });
  for (const name of [
    "readKeySet1",
    "readKeySet2",
    "readKeySet3",
    "isAlive",
    "isReady",
    "readOpenApi",
  ]) {
    await call(on(name));
  }
  const proxied = { "x-forwarded-for": "192.0.2.1" };
  for (const [name, ended, path] of [
    ["endTask", taskId, `/v1/agent/${id}/task/${taskId}/end`],
    ["endTask", "task_unknown", `/v1/agent/${id}/task/task_unknown/end`],
    ["endAgent", undefined, `/v1/agent/${id}/end`],
    ["endAgent", undefined, "/v1/agent/agent_unknown/end"],
  ] as const) {
    const end = { authority: tested.url, agentRuntimeId: id, taskId: ended, timestamp };
    const body = await createOwnEndRequest(end, next);
    await call(on(name), { body, headers: proxied }, path);
    await call(on(name), { body }, path);
  }
  const revoke = (options: CallOptions, of = id) =>
    call(on("revokeAgent"), options, `/v1/agent/${of}/revoke`);
  await revoke(forbidden);
  await revoke({ headers: register.headers }, "agent_unknown");
  await revoke({ headers: register.headers });
}

// A claim that an operator revoked stays, and is restored after another user's agent has proved the key.
async function claimTwice(target: Target): Promise<void> {
  const { registry } = tested.authority;
  const { id, key } = await tested.agent("claimant");
  const { body } = await tested.registerAgent(await tested.token("human", "owner"), key);
  await registry.revokeAgent(id);
  await tested.registerTask(body.agent_runtime_id, key);
  await registry.restoreAgent(id);
  await call(target, { body: taskBody(id, key, tested.clock.nowMs) }, taskPath(id));
}

async function sendToAdminListener(): Promise<void> {
  const operator = { headers: bearer(await tested.token("operate", "operator", "ops")) };
  const { id, key } = await tested.agent("administered");
  await tested.registerTask(id, key);
  const { registry } = tested.authority;
  const [task] = await registry.listTasks({ agentRuntimeId: id });
  const { id: tokenId } = await registry.createAccessToken({
    accountId: "acct-1",
    userId: "administered",
    role: "human",
    ttlSeconds: 60,
  });
  const known = { account_id: "acct-1", user_id: "administered" };
  const unknown = { account_id: "acct-unknown", user_id: "unknown" };
  const bodies: Readonly<Record<string, object>> = {
    createAccessToken: { ...known, role: "human", ttl_seconds: 60 },
    issueIdentity: { ...known, ttl_seconds: 60 },
    revokeUser: known,
    restoreUser: known,
    revokeAccount: { account_id: "acct-1" },
    restoreAccount: { account_id: "acct-1" },
  };
  const absent: Readonly<Record<string, object>> = {
    revokeUser: unknown,
    restoreUser: unknown,
    revokeAccount: { account_id: "acct-unknown" },
    restoreAccount: { account_id: "acct-unknown" },
  };
  const queries: Readonly<Record<string, string>> = { find: "?text=agent" };
  for (const target of TARGETS.filter(({ isAdmin }) => isAdmin)) {
    await call(target, { headers: { ...operator.headers, origin: "https://page.example" } });
    const value = target.path.includes("/tokens/")
      ? tokenId
      : target.path.includes("/tasks/")
        ? task?.taskId
        : id;
    const body = bodies[target.id];
    const path = fill(target.path, value) + (queries[target.id] ?? "");
    await call(target, { ...operator, ...(body && { body }) }, path);
    const other = absent[target.id];
    if (other !== undefined) await call(target, { ...operator, body: other });
    else if (parametersOf(target.path).length > 0) await call(target, operator);
  }
}

test("each operation was answered with every status that is documented, and with no other (G-A31)", async () => {
  for (const target of TARGETS) await sendWrongForms(target);
  await sendInTrouble();
  await sendToPublicListener();
  await sendToAdminListener();
  for (const { isAdmin, listener } of LISTENERS) {
    for (const item of Object.values(createDocument(listener).paths)) {
      for (const { operationId, responses } of Object.values(item)) {
        const key = keyOf(isAdmin, operationId);
        expect([...(answered.get(key) ?? [])].sort(), key).toEqual(
          Object.keys(responses).map(Number),
        );
      }
    }
  }
});
