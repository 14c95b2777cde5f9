import { fileURLToPath } from "node:url";
import { withAssertion } from "@countersign/agent-assertion/fetch";
import { AssertionSigner } from "@countersign/agent-assertion/sign";
import { headerAsync } from "@countersign/agent-assertion/sign-async";
import { createSigningProxy } from "@countersign/assertion-proxy";
import {
  chatCompletionsApi,
  headerOf,
  runProcess,
  startProcess,
  toolCallingApi,
} from "@countersign/testing";
import { openDirectory } from "@countersign/testing/vitest";
import { expect, onTestFinished, test, vi } from "vitest";
import worker from "../apis/hono-worker.js";
import { runAgent } from "../proxy/child-process.js";
import { startGateway, startWorld, type World } from "./world.js";

const fileOf = (program: string) => fileURLToPath(new URL(`../${program}`, import.meta.url));

/** Runs an example as its reader does, with a home of its own. */
async function run(program: string, { authority, accessToken }: World, env: NodeJS.ProcessEnv) {
  const HOME = await openDirectory();
  return await runProcess(process.execPath, [fileOf(program)], {
    env: { AUTHORITY: authority, ACCESS_TOKEN: accessToken, HOME, ...env },
  });
}

/** Starts an example that serves, on a free port. @returns its origin */
async function serve(program: string, { authority }: World): Promise<string> {
  const running = await startProcess(process.execPath, [fileOf(program)], {
    env: { AUTHORITY: authority, PORT: "0" },
  });
  onTestFinished(() => running[Symbol.asyncDispose]());
  const [, origin = ""] = await running.waitForLine(/^listening on (\S+)$/);
  return origin;
}

const AGENTS = ["openai", "ai-sdk", "openai-agents", "langchain"];

test.each(AGENTS)("agents/%s.ts calls its tool, each request in one task", async (name) => {
  const world = await startWorld();
  const { url, upstream } = await startGateway(world.authority, toolCallingApi);
  const ended = await run(`agents/${name}.ts`, world, { BASE_URL: `${url}/v1` });
  expect(ended, ended.stderr).toMatchObject({ code: 0, stdout: "It is 21 °C in Paris.\n" });
  const tasks = upstream.requests.map((request) => headerOf(request, "x-agent-task-id"));
  const [task] = await world.registry.listTasks();
  expect(tasks).toEqual([task?.taskId, task?.taskId]);
});

test("agents/openai.ts whose agent's user was revoked says so, and asks no model", async () => {
  const world = await startWorld();
  const { url, upstream } = await startGateway(world.authority, toolCallingApi);
  await world.registry.revokeUser("acct-1", "user-1");
  const { code, stderr } = await run("agents/openai.ts", world, { BASE_URL: `${url}/v1` });
  expect(code).toBe(1);
  expect(stderr).toMatch(/\bcode: '\w+'/);
  expect(upstream.requests).toEqual([]);
});

test("agents/through-proxy.py calls its tool in one task", async () => {
  const { authority, thread, registry } = await startWorld();
  const { url, upstream } = await startGateway(authority, toolCallingApi);
  const clientToken = "c".repeat(43);
  const proxy = createSigningProxy({ upstream: url, source: () => thread, clientToken });
  const listening = await proxy.listen({ host: "127.0.0.1", port: 0 });
  onTestFinished(() => proxy.close());
  const env = { OPENAI_BASE_URL: `${listening.url}/v1`, OPENAI_API_KEY: clientToken };
  const ended = await runProcess("python3", [fileOf("agents/through-proxy.py")], {
    env: { ...env, PYTHONIOENCODING: "utf-8" },
  });
  expect(ended, ended.stderr).toMatchObject({ code: 0, stdout: "It is 21 °C in Paris.\n" });
  const [task] = await registry.listTasks();
  const tasks = upstream.requests.map((request) => headerOf(request, "x-agent-task-id"));
  expect(tasks).toEqual([task?.taskId, task?.taskId]);
});

// Ends with the status of the answer.
const ASK = `
const { OPENAI_BASE_URL, OPENAI_API_KEY } = process.env;
const headers = { authorization: "Bearer " + OPENAI_API_KEY };
const answer = await fetch(OPENAI_BASE_URL + "/chat/completions", { method: "POST", headers, body: "{}" });
process.exitCode = answer.status - 200;
`;

test("proxy/child-process.ts gives a process requests in its task, and says how it ended", async () => {
  const { authority, thread, registry } = await startWorld();
  const { url, upstream } = await startGateway(authority, chatCompletionsApi);
  const ask = ["--input-type=module", "--eval", ASK];
  await runAgent(thread, url, process.execPath, ask);
  const [task] = await registry.listTasks();
  const tasks = upstream.requests.map((request) => headerOf(request, "x-agent-task-id"));
  expect(tasks).toEqual([task?.taskId]);
  await registry.revokeUser("acct-1", "user-1");
  await expect(runAgent(thread, url, process.execPath, ask)).rejects.toThrow(/ended with \d+/);
  expect(upstream.requests).toHaveLength(1);
});

test("mcp/server.ts names the agent of mcp/client.ts, and refuses a request without an assertion", async () => {
  const world = await startWorld();
  const API = await serve("mcp/server.ts", world);
  expect((await fetch(`${API}/mcp`, { method: "POST", body: "{}" })).status).toBe(401);
  const ended = await run("mcp/client.ts", world, { API });
  const [agent] = await world.registry.listAgents();
  expect(ended, ended.stderr).toMatchObject({ code: 0 });
  expect(ended.stdout).toContain(`${agent?.agentRuntimeId} of acct-1`);
});

type Send = (input: RequestInfo | URL, init?: RequestInit) => Promise<Response>;

/** Expects an API that names the caller below `/v1`, and refuses a request without an assertion. */
async function namesCaller({ thread, registry }: World, origin: string, send: Send) {
  const signed = withAssertion(send, thread, { origins: [origin] });
  const answer = await signed(`${origin}/v1/hello`, { method: "POST" });
  const [task] = await registry.listTasks();
  const caller = { agent: task?.agentRuntimeId, task: task?.taskId, account: "acct-1" };
  expect([answer.status, await answer.json()]).toEqual([200, caller]);
  const refused = await send(`${origin}/v1/hello`, { method: "POST" });
  expect([refused.status, await refused.json()]).toMatchObject([401, { code: "missing" }]);
}

test("apis/fastify.ts names the caller, and leaves other routes open", async () => {
  const world = await startWorld();
  const origin = await serve("apis/fastify.ts", world);
  await namesCaller(world, origin, fetch);
  expect(await (await fetch(`${origin}/healthz`)).text()).toBe("ok\n");
});

test("apis/hono-worker.ts names the caller, and leaves other routes open", async () => {
  const world = await startWorld();
  const env = { AUTHORITY: world.authority };
  const send: Send = async (input, init) => worker.fetch(new Request(input, init), env);
  await namesCaller(world, "https://api.example", send);
  expect(await (await send("https://api.example/healthz")).text()).toBe("ok\n");
});

/** Starts a world whose authority is that of the environment, which an example reads when it is loaded. */
async function startNamedWorld(): Promise<World> {
  const world = await startWorld();
  vi.stubEnv("AUTHORITY", world.authority);
  onTestFinished(() => void vi.unstubAllEnvs());
  return world;
}

test("apis/next-route.ts names the caller", async () => {
  const world = await startNamedWorld();
  const { POST } = await import("../apis/next-route.js");
  const send: Send = async (input, init) => POST(new Request(input, init));
  await namesCaller(world, "https://api.example", send);
});

test("apis/sveltekit-server.ts names the caller", async () => {
  const world = await startNamedWorld();
  const { POST } = await import("../apis/sveltekit-server.js");
  const send: Send = async (input, init) =>
    POST({ request: new Request(input, init), getClientAddress: () => "192.0.2.1" });
  await namesCaller(world, "https://api.example", send);
});

test("apis/lambda-url.ts names the caller, and refuses two Authorization fields in one", async () => {
  const world = await startNamedWorld();
  const { handler } = await import("../apis/lambda-url.js");
  const send: Send = async (input, init) => {
    const { method, url, headers } = new Request(input, init);
    const { hostname: domainName, pathname: rawPath, search } = new URL(url);
    const { statusCode, body, ...answer } = await handler({
      ...{ rawPath, rawQueryString: search.slice(1), headers: Object.fromEntries(headers) },
      // A GET has no body in Fetch, and may have one in an event.
      ...{ body: Buffer.from("{}").toString("base64"), isBase64Encoded: true },
      requestContext: { domainName, http: { method, sourceIp: "192.0.2.1" } },
    });
    return new Response(body, { status: statusCode, headers: answer.headers });
  };
  await namesCaller(world, "https://api.example", send);
  const get = await send("https://api.example/v1/hello?x=1");
  expect([get.status, get.headers.get("www-authenticate")]).toEqual([
    401,
    'AgentAssertion error="missing"',
  ]);
  const credential = await world.thread.credential();
  if (credential.kind !== "agent") return expect.unreachable("the thread has no task");
  const authorization = `${await headerAsync(new AssertionSigner(), credential)},Bearer x`;
  const two = await send("https://api.example/v1/hello", { headers: { authorization } });
  expect(await two.json()).toMatchObject({ code: "malformed" });
});
