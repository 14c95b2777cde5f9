import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
  verify,
} from "node:crypto";
import sodium from "libsodium-wrappers";
import { afterEach, expect, test } from "vitest";
import { FakeClock } from "../fake-clock.js";
import type { TestAuthority } from "./authority-types.js";
import { startTestAuthority } from "./start-test-authority.js";

const clock = new FakeClock();
const open: TestAuthority[] = [];
afterEach(async () => {
  for (const authority of open.splice(0)) await authority.close();
});

async function start(options = {}): Promise<TestAuthority> {
  const authority = await startTestAuthority({ now: clock.now, ...options });
  open.push(authority);
  return authority;
}

function makeKey() {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const raw = publicKey.export({ format: "der", type: "spki" }).subarray(-32);
  const seed = privateKey.export({ format: "der", type: "pkcs8" }).subarray(-32);
  const prefix = Buffer.from("0000000b7373682d6564323535313900000020", "hex");
  const scalar = createHash("sha512").update(seed).digest().subarray(0, 32);
  return {
    line: `ssh-ed25519 ${Buffer.concat([prefix, raw]).toString("base64")}`,
    sign: (text: string) => sign(null, Buffer.from(text), privateKey).toString("base64"),
    scalar,
  };
}

function post(url: string, headers: Record<string, string>, body: unknown): Promise<Response> {
  return fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
    redirect: "manual",
  });
}

function registerAgent(authority: TestAuthority, headers: Record<string, string>, line: string) {
  const body = { abom: {}, agent_public_key: line, capabilities: [] };
  return post(`${authority.url}/v1/agent/register`, headers, body);
}

function registerTask(
  authority: TestAuthority,
  key: ReturnType<typeof makeKey>,
  agent = "agent_1",
  headers: Record<string, string> = {},
) {
  const timestamp = "2026-03-23T12:00:00Z";
  return post(`${authority.url}/v1/agent/${agent}/task/register`, headers, {
    signature: key.sign(`${agent}:${timestamp}`),
    timestamp,
  });
}

async function codeOf(answer: Promise<Response>): Promise<unknown> {
  const { code } = (await (await answer).json()) as { code?: unknown };
  return code;
}

async function withAgent(options = {}) {
  const authority = await start(options);
  const token = authority.addHuman({ accountId: "acct-1", userId: "user-1" });
  const key = makeKey();
  const bearer = { authorization: `Bearer ${token}` };
  const answer = await registerAgent(authority, bearer, key.line);
  return { authority, token, key, bearer, answer };
}

test("refuses an unknown token, a spent biscuit and a biscuit for another URL", async () => {
  const { authority, key, token } = await withAgent();
  expect(await codeOf(registerAgent(authority, { authorization: "Bearer x" }, key.line))).toBe(
    "unauthenticated",
  );
  const mint = async (url: string) => {
    const answer = await fetch(`${authority.url}/authenticate_app_v2`, {
      headers: {
        authorization: `Bearer ${token}`,
        "x-request-id": "r",
        "x-original-method": "POST",
        "x-original-url": url,
      },
    });
    return { "x-openai-authorization": answer.headers.get("x-openai-authorization") ?? "" };
  };
  const biscuit = await mint(`${authority.url}/v1/agent/register`);
  expect((await registerAgent(authority, biscuit, key.line)).status).toBe(200);
  expect(await codeOf(registerAgent(authority, biscuit, key.line))).toBe("biscuit_invalid");
  const other = await mint(`${authority.url}/v1/whoami`);
  expect(await codeOf(registerAgent(authority, other, key.line))).toBe("biscuit_invalid");
  expect(authority.counts).toMatchObject({ biscuit: 2, registerAgent: 5 });
});

test("refuses a task of an unknown or revoked agent, a stale one, and one with a wrong signature", async () => {
  const { authority, key } = await withAgent();
  expect(await codeOf(registerTask(authority, key, "agent_9"))).toBe("unknown_agent");
  expect(await codeOf(registerTask(authority, makeKey()))).toBe("bad_signature");
  clock.advance(301_000);
  expect(await codeOf(registerTask(authority, key))).toBe("expired");
  clock.advance(-602_000);
  expect(await codeOf(registerTask(authority, key))).toBe("not_yet_valid");
  clock.advance(301_000);
  authority.revokeAgent("agent_1");
  expect(await codeOf(registerTask(authority, key))).toBe("agent_revoked");
  expect(authority.tasks).toEqual([]);
});

test("gives the same agent for the same key and human, and none for another human", async () => {
  const { authority, key, bearer, answer } = await withAgent();
  const first = await answer.json();
  expect(first).toEqual({ agent_runtime_id: "agent_1", account_id: "acct-1", user_id: "user-1" });
  expect(await (await registerAgent(authority, bearer, key.line)).json()).toEqual(first);
  const token = authority.addHuman({ accountId: "acct-2", userId: "user-1" });
  const other = { authorization: `Bearer ${token}` };
  expect(await codeOf(registerAgent(authority, other, key.line))).toBe("invalid_key");
  expect(authority.agents).toHaveLength(1);
  authority.forgetAgent("agent_1");
  expect(await (await registerAgent(authority, bearer, key.line)).json()).toMatchObject({
    agent_runtime_id: "agent_2",
  });
});

test("answers a task sealed for the agent's key, or in the member it is told", async () => {
  const { authority, key } = await withAgent();
  const sealed = (await (await registerTask(authority, key)).json()) as Record<string, string>;
  expect(Object.keys(sealed)).toEqual(["encrypted_task_id"]);
  const box = Buffer.from(sealed.encrypted_task_id ?? "", "base64");
  const recipient = sodium.crypto_scalarmult_base(key.scalar);
  const opened = sodium.crypto_box_seal_open(box, recipient, key.scalar);
  expect(Buffer.from(opened).toString()).toBe("task_1");
  authority.answerTasks = "taskId";
  authority.taskLifetimeSeconds = 60;
  expect(await (await registerTask(authority, key)).json()).toEqual({
    taskId: "task_2",
    expires_at: "2026-03-23T12:01:00Z",
  });
});

test("gives the same task for the same Idempotency-Key while it lives", async () => {
  const { authority, key } = await withAgent();
  authority.answerTasks = "task_id";
  const again = async () =>
    await (await registerTask(authority, key, "agent_1", { "idempotency-key": "k" })).json();
  expect(await again()).toEqual({ task_id: "task_1" });
  expect(await again()).toEqual({ task_id: "task_1" });
  authority.revokeTask("task_1");
  expect(await again()).toEqual({ task_id: "task_2" });
});

test("answers whoami and the directory below a base path", async () => {
  const { authority, key, bearer } = await withAgent({ basePath: "/backend-api/" });
  expect(authority.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/backend-api$/);
  await registerTask(authority, key);
  const get = async (path: string) =>
    await (await fetch(authority.url + path, { headers: bearer })).json();
  expect(await get("/v1/whoami")).toEqual({ account_id: "acct-1", user_id: "user-1" });
  expect(await get("/v1/agent/agent_1/task/task_1")).toMatchObject({
    agent_runtime_id: "agent_1",
    agent_public_keys: [key.line],
    agent_state: "active",
    task: { task_id: "task_1", state: "active" },
  });
  expect(await get("/v1/agent/agent_1/task/task_2")).toMatchObject({ task: null });
  expect(await get("/v1/agent/agent_2")).toMatchObject({ code: "unknown_agent" });
  expect(await get("/nothing")).toMatchObject({ code: "invalid_request" });
  expect(authority.counts).toMatchObject({ whoami: 1, directory: 3 });
});

test("publishes the keys of its issuer where Codex looks, and nowhere else", async () => {
  const places = {
    "/": "/api/codex/agent-identities/jwks",
    "/backend-api": "/backend-api/wham/agent-identities/jwks",
    "/api/codex": "/api/codex/agent-identities/jwks",
  };
  for (const [basePath, place] of Object.entries(places)) {
    const authority = await start({ basePath });
    const { origin } = new URL(authority.url);
    expect(await (await fetch(origin + place)).json()).toEqual(authority.issuer.keySet);
    expect((await fetch(`${authority.url}/agent-identities/jwks/`)).status).toBe(404);
    expect(authority.counts.keySet).toBe(1);
  }
});

test("issues tokens that hold under its keys, with an agent that registers tasks", async () => {
  const authority = await start();
  const issued = authority.issueIdentityJwt({ accountId: "acct-1", userId: "user-1" });
  const holdsUnder = (jwk: object | undefined, token: string) => {
    const [header, payload, signature = ""] = token.split(".");
    const key = createPublicKey({ key: { ...jwk }, format: "jwk" });
    const text = Buffer.from(`${header}.${payload}`);
    return verify("sha256", text, key, Buffer.from(signature, "base64url"));
  };
  const { issuer } = authority;
  expect(holdsUnder(issuer.keySet.keys[0], issued.token)).toBe(true);
  issuer.rotate();
  expect(issuer.keySet.keys.map(({ kid }) => kid)).toEqual(["key-1", "key-2"]);
  expect(holdsUnder(issuer.keySet.keys[1], issued.token)).toBe(false);
  expect(holdsUnder(issuer.keySet.keys[1], issuer.sign({}))).toBe(true);
  issuer.withdraw("key-1");
  expect(issuer.keySet.keys.map(({ kid }) => kid)).toEqual(["key-2"]);
  const seed = Buffer.from(issued.privateKey, "base64").subarray(16, 48);
  const der = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), seed]);
  const key = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  const timestamp = new Date(clock.now()).toISOString().replace(".000", "");
  const url = `${authority.url}/v1/agent/${issued.agentRuntimeId}/task/register`;
  const text = Buffer.from(`${issued.agentRuntimeId}:${timestamp}`);
  const signature = sign(null, text, key).toString("base64");
  expect((await post(url, {}, { signature, timestamp })).status).toBe(200);
});

test("misbehaves as it is told, so often as it is told, and counts it all", async () => {
  const { authority, key, bearer } = await withAgent();
  const again = () => registerAgent(authority, bearer, key.line);
  authority.fault("register_agent", {
    kind: "status",
    status: 429,
    headers: { "retry-after": "1" },
  });
  authority.fault("register_agent", { kind: "answer", body: "{" }, 2);
  authority.fault("register_agent", { kind: "redirect", location: "https://other.example/" });
  authority.fault("register_agent", { kind: "reset" });
  authority.fault("register_agent", { kind: "lose" });
  const limited = await again();
  expect([limited.status, limited.headers.get("retry-after")]).toEqual([429, "1"]);
  expect(await (await again()).text()).toBe("{");
  expect(await (await again()).text()).toBe("{");
  expect((await again()).headers.get("location")).toBe("https://other.example/");
  await expect(again()).rejects.toThrow("fetch failed");
  expect(authority.agents[0]?.registrations).toBe(1);
  await expect(again()).rejects.toThrow("fetch failed");
  expect(authority.agents[0]?.registrations).toBe(2);
  expect((await again()).status).toBe(200);
  expect(authority.counts.registerAgent).toBe(8);
});

test("holds an answer until it is told, and ends what hangs when it closes", async () => {
  const { authority, key, bearer } = await withAgent();
  let release = () => {};
  const until = new Promise<void>((resolve) => {
    release = resolve;
  });
  authority.fault("register_agent", { kind: "hold", until });
  const held = registerAgent(authority, bearer, key.line);
  release();
  expect((await held).status).toBe(200);
  authority.fault("register_agent", { kind: "hang" }, Number.POSITIVE_INFINITY);
  const hanging = expect(registerAgent(authority, bearer, key.line)).rejects.toThrow();
  await expect.poll(() => authority.counts.registerAgent).toBe(3);
  await authority.close();
  await hanging;
});
