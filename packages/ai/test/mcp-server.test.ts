import { createServer, type RequestListener, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import {
  AgentAssertionError,
  AssertionSigner,
  createVerifier,
  memoryDirectory,
} from "@countersign/agent-assertion";
import { AgentKey } from "@countersign/agent-key";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import {
  agentOf,
  type McpConnection,
  type McpServerOptions,
  mcpServer,
} from "../src/mcp-server.js";

const key = AgentKey.generate();
const [authority, agentRuntimeId, taskId] = ["https://authority.example", "agent-1", "task-1"];
const owner = { accountId: "acct-1", userId: "user-1", capabilities: ["files:read"] };
const verifier = createVerifier({
  directory: memoryDirectory({
    authority,
    agents: [{ ...owner, agentRuntimeId, publicKeys: [key.publicKey], state: "active" }],
    tasks: [{ agentRuntimeId, taskId, state: "active" }],
  }),
});

function signed(init: RequestInit = {}): Request {
  const credential = { kind: "agent", authority, agentRuntimeId, taskId, key } as const;
  const headers = new Headers(init.headers);
  headers.set("authorization", new AssertionSigner().header(credential));
  return new Request("https://server.example/mcp", { method: "POST", ...init, headers });
}

const connect: McpServerOptions["connect"] = () => ({ fetch: async () => new Response("served") });

async function listen(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
}

/** A transport of a server that keeps a session. */
function transport(handleRequest: (request: never) => Promise<unknown>, sessionId?: string) {
  return { handleRequest, close: async () => {}, sessionId };
}

describe("mcpServer", () => {
  test.each([
    [{ connect }, /verifier must be an AssertionVerifier, .* got nothing/],
    [{ verifier: { verify: () => {} }, connect }, /verifier must be .* without recheck\(\)/],
    [{ verifier }, /connect must be a function/],
    [{ verifier, connect: connect(undefined as never, undefined as never) }, /connect must be/],
    [
      { verifier, connect, maxSessions: 0 },
      /maxSessions must be an integer from 1 to 100000, got 0/,
    ],
    [{ verifier, connect, sessionIdleSeconds: 86_401 }, /sessionIdleSeconds must be/],
    [{ verifier, connect, recheckMs: 30_001 }, /recheckMs must be/],
    [{ verifier, connect, policy: { accounts: "acct-1" } }, /accounts must be a list/],
    [{ verifier, connect, onError: "log" }, /onError must be a function/],
    [{ verifier, connect, maxSesions: 5 }, /there is no option maxSesions/],
    [{ verifier, connect, onMissing: "pass" }, /there is no option onMissing/],
    [undefined, /options must be an object with verifier, connect/],
  ])("refuses %j (G-M1)", (wrong, says) => {
    const make = () => mcpServer(wrong as unknown as McpServerOptions);
    expect(make).toThrow(says);
    expect(make).toThrow(AgentAssertionError);
  });

  test.each([
    ["nothing", undefined, /connect must give fetch another connection/],
    ["a handler for Node", async () => {}, /connect must give fetch another connection/],
    ["a transport for Node", transport(async () => undefined), /another connection/],
    [
      "a transport with a session id of its own",
      transport(async () => new Response(), "own"),
      /session id of its own/,
    ],
  ])("reports to its operator alone that connect gave %s", async (_, given, says) => {
    const onError = vi.fn();
    const wrong = given as unknown as McpConnection;
    const { fetch } = mcpServer({ verifier, connect: () => wrong, onError });
    const answer = await fetch(signed());
    expect([answer.status, await answer.json()]).toMatchObject([503, { code: "server_error" }]);
    expect(onError.mock.calls).toMatchObject([[{ code: "config_invalid" }, expect.any(Request)]]);
    expect(String(onError.mock.calls[0]?.[0])).toMatch(says);
  });

  test.each([
    ["nothing", undefined],
    ["a handler for Request and Response", connect(undefined as never, undefined as never)],
    ["a transport for Request and Response", transport(async () => new Response())],
  ])("reports on Node that connect gave %s", async (_, given) => {
    const onError = vi.fn();
    const wrong = given as unknown as McpConnection;
    const { node } = mcpServer({ verifier, connect: () => wrong, onError });
    const url = await listen((request, response) => void node(request, response));
    const answer = await fetch(url, { method: "POST", headers: signed().headers });
    expect([answer.status, await answer.json()]).toMatchObject([503, { code: "server_error" }]);
    expect(String(onError.mock.calls)).toMatch(/connect must give node another connection/);
  });

  test("warns of what failed if nothing else is told", async () => {
    const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    onTestFinished(() => warned.mockRestore());
    const failure = new Error("no database");
    const { fetch } = mcpServer({ verifier, connect: () => Promise.reject(failure) });
    expect((await fetch(signed())).status).toBe(503);
    expect(warned).toHaveBeenCalledExactlyOnceWith(failure);
  });

  test("refuses a request without an assertion, and one that its policy does not allow", async () => {
    const policy = { accounts: ["acct-2"] };
    const { fetch } = mcpServer({ verifier, connect, policy });
    const bare = new Request("https://server.example/mcp", { method: "POST" });
    expect((await fetch(bare)).headers.get("www-authenticate")).toContain('error="missing"');
    expect((await fetch(signed())).status).toBe(403);
  });

  test("ends the stream of a client that left while it was verified", async () => {
    const ended = Promise.withResolvers<void>();
    const events = () => {
      const body = new ReadableStream({ cancel: () => ended.resolve() });
      return new Response(body, { headers: { "content-type": "text/event-stream" } });
    };
    const { fetch } = mcpServer({ verifier, connect: () => ({ fetch: async () => events() }) });
    // A server that sees that its client is gone reads no answer.
    await fetch(signed({ method: "GET", signal: AbortSignal.abort() }));
    await ended.promise;
  });

  test("hands a proxy of a request on without what proved its caller, as Next.js gives them", async () => {
    const echo = async (request: Request) =>
      Response.json([request.headers.get("authorization"), await request.text()]);
    const { fetch } = mcpServer({ verifier, connect: () => ({ fetch: echo }) });
    const given = new Proxy(signed({ body: "{}" }), {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
    expect(await (await fetch(given)).json()).toEqual([null, "{}"]);
  });

  test("gives Node's transport the body that a parser has read", async () => {
    const given = vi.fn();
    const { node } = mcpServer({
      verifier,
      connect: () => async (_, response: ServerResponse, body) => {
        given(body);
        response.end();
      },
    });
    const url = await listen((request, response) => {
      Object.assign(request, { body: { of: "express" } });
      // Express gives its `next`.
      void node(request, response, request.url === "/mcp?own" ? { of: "caller" } : () => {});
    });
    const { headers } = signed();
    await fetch(url, { method: "POST", headers });
    await fetch(`${url}?own`, { method: "POST", headers });
    expect(given.mock.calls).toEqual([[{ of: "express" }], [{ of: "caller" }]]);
  });
});

test("agentOf knows the authInfo of a verified request alone", async () => {
  const seen = vi.fn();
  const { fetch } = mcpServer({
    verifier,
    connect: () => ({
      fetch: async (request, { authInfo }) => {
        seen(agentOf(authInfo), authInfo, request.headers.get("authorization"));
        return new Response();
      },
    }),
  });
  expect((await fetch(signed())).status).toBe(200);
  const [agent, authInfo, authorization] = seen.mock.calls[0] ?? [];
  expect(agent).toMatchObject({ authority, agentRuntimeId, taskId, accountId: "acct-1" });
  expect(authInfo).toMatchObject({ token: "agent-1/task-1", scopes: ["files:read"] });
  expect(authorization).toBeNull();
  for (const wrong of [undefined, {}, { ...authInfo }]) {
    expect(() => agentOf(wrong)).toThrow(/this authInfo is not of a verified request/);
  }
});
