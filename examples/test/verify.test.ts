import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import { connect } from "node:net";
import { type AssertionVerifier, createVerifier } from "@countersign/agent-assertion";
import { withAssertion } from "@countersign/agent-assertion/fetch";
import { remoteDirectory } from "@countersign/agent-assertion/remote-directory";
import { AssertionSigner } from "@countersign/agent-assertion/sign";
import { headerAsync } from "@countersign/agent-assertion/sign-async";
import { getRequestListener } from "@hono/node-server";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import WebSocket from "ws";
import { createClient } from "../sign/fetch.js";
import { openSocket } from "../sign/websocket.js";
import { createBoundVerifier } from "../verify/bound-verifier.js";
import { createDirectory } from "../verify/counted-directory.js";
import { createExpressApi } from "../verify/express.js";
import { createFastifyApi } from "../verify/fastify.js";
import { createHonoApi } from "../verify/hono.js";
import { createKoaApi } from "../verify/koa.js";
import { createNestApi } from "../verify/nestjs.js";
import { createApi } from "../verify/node.js";
import { createTestAgent, type TestAgent } from "../verify/test-agent.js";
import { createWebSocketApi } from "../verify/ws.js";
import { contractOf } from "./contract-of.js";
import { end, listen, startWorld } from "./world.js";

const apis: readonly [string, (verifier: AssertionVerifier) => Promise<RequestListener>][] = [
  ["Express", async (verifier) => createExpressApi(verifier)],
  [
    "Fastify",
    async (verifier) => {
      const app = createFastifyApi(verifier);
      onTestFinished(() => app.close());
      await app.ready();
      return (request, response) => app.routing(request, response);
    },
  ],
  ["Hono", async (verifier) => getRequestListener(createHonoApi(verifier).fetch)],
  ["Koa", async (verifier) => createKoaApi(verifier).callback()],
  [
    "NestJS",
    async (verifier) => {
      const app = await createNestApi(verifier);
      onTestFinished(() => app.close());
      await app.init();
      return app.getHttpAdapter().getInstance();
    },
  ],
];

/** A server behind the bound verifier, reached at a public URL of its own. */
async function startBound(create: (verifier: AssertionVerifier) => Promise<RequestListener>) {
  const { authority, thread } = await startWorld();
  const server = createServer();
  onTestFinished(() => end(server));
  const origin = await listen(server);
  server.on("request", await create(createBoundVerifier(authority, origin)));
  const bound = withAssertion(fetch, thread, { origins: [origin], binding: true });
  const unbound = withAssertion(fetch, thread, { origins: [origin] });
  return { origin, bound, unbound, thread };
}

describe.each(apis)("the server on %s", (_, create) => {
  const post = { method: "POST", headers: { "content-type": "application/json" } } as const;

  test("knows the agent of a bound request, and reads its body", async () => {
    const { origin, bound } = await startBound(create);
    const answer = await bound(`${origin}/v1/echo?x=1`, { ...post, body: '{"input":1}' });
    const agent = expect.stringMatching(/^agent_/);
    expect(await answer.json()).toEqual({ agent, body: { input: 1 } });
  });

  test("refuses a request that is not bound, and leaves other routes open", async () => {
    const { origin, unbound } = await startBound(create);
    const answer = await unbound(`${origin}/v1/echo`, { ...post, body: "{}" });
    expect(answer.status).toBe(401);
    expect(await answer.json()).toMatchObject({ code: "binding_required" });
    expect(await (await fetch(`${origin}/healthz`)).text()).toBe("ok\n");
  });
});

test.each(apis)(
  "the server on %s logs why it cannot check a request, and not the request with its assertion",
  async (_, create) => {
    const log = vi.spyOn(console, "error").mockImplementation(() => {});
    onTestFinished(() => log.mockRestore());
    const { thread } = await startWorld();
    const gone = createServer();
    const directory = remoteDirectory(await listen(gone));
    await end(gone);
    const server = createServer(await create(createVerifier({ directory })));
    onTestFinished(() => end(server));
    const origin = await listen(server);
    const signed = withAssertion(fetch, thread, { origins: [origin] });
    expect((await signed(`${origin}/v1/echo`, { method: "POST" })).status).toBe(503);
    expect(log.mock.calls).toEqual([[expect.objectContaining({ code: "unreachable" })]]);
  },
);

test("the server on Express asks for a capability where it has to", async () => {
  const { origin, bound } = await startBound(async (verifier) => createExpressApi(verifier));
  const answer = await bound(`${origin}/v1/everything`, { method: "DELETE" });
  expect(answer.status).toBe(403);
});

test("the server of WebSockets knows who opened a socket, and refuses others", async () => {
  const { authority, thread } = await startWorld();
  const directory = remoteDirectory(authority);
  const server = createWebSocketApi(createVerifier({ directory }));
  onTestFinished(async () => {
    await end(server);
    await directory.close?.();
  });
  const url = (await listen(server)).replace("http", "ws");
  const socket = await openSocket(thread, url);
  onTestFinished(() => socket.terminate());
  socket.send("hello");
  expect(String((await once(socket, "message"))[0])).toMatch(/^agent_\S+: hello$/);
  const [error] = await once(new WebSocket(url), "error");
  expect(error.message).toContain("401");
});

test("the test agent is accepted by its own verifier alone, with its own capabilities", async () => {
  const remove = async (agent: TestAgent, authorization: string) => {
    const server = createServer(createExpressApi(agent.verifier));
    onTestFinished(() => end(server));
    const url = `${await listen(server)}/v1/everything`;
    return (await fetch(url, { method: "DELETE", headers: { authorization } })).status;
  };
  const admin = createTestAgent(["admin"]);
  const other = createTestAgent();
  expect(await remove(admin, admin.header())).toBe(204);
  expect(await remove(admin, other.header())).toBe(401);
  expect(await remove(other, other.header())).toBe(403);
});

test("the counted directory counts its lookups", async () => {
  const { authority, thread } = await startWorld();
  const credential = await thread.credential();
  if (credential.kind !== "agent") return expect.unreachable("the thread has no task");
  const counted: string[] = [];
  const directory = createDirectory(authority, (name) => counted.push(name));
  onTestFinished(() => directory.close?.());
  await directory.agent(credential.agentRuntimeId);
  await directory.agent(credential.agentRuntimeId);
  expect(counted).toEqual(["agent miss", "agent hit"]);
});

test("the own replay store keeps its contract, by the runner of Node", async () => {
  const { stdout, outcome } = await contractOf("../verify/own-replay-store.ts");
  expect(stdout).toContain("refuses what was spent before it was opened");
  expect(outcome).toEqual({ code: 0, passed: expect.any(Number), failed: 0 });
});

describe("the server on Node", () => {
  async function start() {
    const world = await startWorld();
    const server = createApi(world.authority);
    onTestFinished(() => end(server));
    const origin = await listen(server);
    return { ...world, origin, signed: createClient(world.thread, origin) };
  }

  async function exchange(origin: string, lines: readonly string[]): Promise<string> {
    const socket = connect(Number(new URL(origin).port), "127.0.0.1");
    socket.write(
      ["GET / HTTP/1.1", "Host: localhost", "Connection: close", ...lines, "", ""].join("\r\n"),
    );
    let answer = "";
    for await (const chunk of socket) answer += String(chunk);
    return answer;
  }

  test("rejects with a problem", async () => {
    const { origin } = await start();
    const response = await fetch(origin);
    expect(response.status).toBe(401);
    expect(response.headers.get("www-authenticate")).toBe('AgentAssertion error="missing"');
    expect(await response.json()).toMatchObject({ code: "missing", status: 401 });
  });

  test("does not take the first of two Authorization fields", async () => {
    const { origin, thread } = await start();
    const credential = await thread.credential();
    if (credential.kind !== "agent") return expect.unreachable("the thread has no task");
    const good = `Authorization: ${await headerAsync(new AssertionSigner(), credential)}`;
    expect(await exchange(origin, [good])).toContain("200 OK");
    for (const other of ["Authorization: Bearer x", good]) {
      expect(await exchange(origin, [good, other])).toContain('error="malformed"');
    }
  });

  test("answers 503 while the authority cannot be asked", async () => {
    const { origin, signed, thread, endAuthority } = await start();
    await thread.credential();
    await endAuthority();
    const response = await signed(origin);
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ code: "server_error" });
  });
});
