import { createServer } from "node:http";
import { type AddressInfo, BlockList, connect, type Socket } from "node:net";
import { AgentKey } from "@countersign/agent-key";
import { expectRejection } from "@countersign/testing/vitest";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createLimitedServer } from "../src/http/create-server.js";
import { isAnswering } from "../src/http/is-answering.js";
import { toProblem } from "../src/http/to-problem.js";
import { AgentAuthorityError } from "../src/index.js";
import { resolveServerLimits, type ServerLimits } from "../src/limits/server-limits.js";
import { expectRefusal } from "./expect-refusal.js";
import { agentBody, NOON, TestedAuthority, taskBody, taskPath } from "./start-authority.js";

const sockets: Socket[] = [];

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});

/** Sends bytes on a fresh connection and resolves to all that comes back until the server closes it. */
function sendRaw(url: string, bytes: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  sockets.push(socket);
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let received = "";
  socket.setEncoding("utf8");
  socket.on("data", (chunk) => {
    received += chunk;
  });
  socket.on("close", () => resolve(received));
  socket.on("error", reject);
  socket.write(bytes);
  return promise;
}

function expectRawRefusal(answer: string, status: number): void {
  const [head, body] = answer.split("\r\n\r\n");
  expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  expect(head).toMatch(/^date: .+GMT$/im);
  expect(head).toMatch(/^content-type: application\/problem\+json/im);
  expect(JSON.parse(body ?? "")).toMatchObject({ status, code: "invalid_request" });
}

describe("the server", () => {
  it("answers problem+json for what is no HTTP, too large a header or no Host", async () => {
    await using tested = await TestedAuthority.start();
    expectRawRefusal(await sendRaw(tested.url, "not http\r\n\r\n"), 400);
    const large = `GET /healthz HTTP/1.1\r\nHost: x\r\nX: ${"x".repeat(41_000)}\r\n\r\n`;
    expectRawRefusal(await sendRaw(tested.url, large), 431);
    const noHost = "GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n";
    expectRawRefusal(await sendRaw(tested.url, noHost), 400);
    const expectation =
      "GET /healthz HTTP/1.1\r\nHost: x\r\nExpect: tea\r\nConnection: close\r\n\r\n";
    expectRawRefusal(await sendRaw(tested.url, expectation), 417);
    const smuggled =
      "POST /v1/agent/register HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    expectRawRefusal(await sendRaw(tested.url, smuggled), 400);
  });

  it("refuses more than 100 header lines whole, wherever it listens, rather than drop what is beyond (G-A36)", async () => {
    await using tested = await TestedAuthority.start();
    const server = createServer(tested.authority.handler);
    server.maxHeadersCount = 0;
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const own = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const filler = Array.from({ length: 200 }, (_, i) => `x${i}: 1\r\n`).join("");
    const request = `GET /v1/agent/agent_1 HTTP/1.1\r\nHost: 127.0.0.1\r\n${filler}X-Forwarded-For: 192.0.2.1\r\n\r\n`;
    try {
      expectRawRefusal(await sendRaw(own, request), 431);
      expectRawRefusal(await sendRaw(tested.url, request), 431);
    } finally {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });

  it("leaves the number of header lines to its handler, since Node may drop lines in silence", () => {
    const limits = resolveServerLimits({}) as ServerLimits;
    const trustedProxies = new BlockList();
    const options = { limits, trustedProxies, now: Date.now, onRefusal: () => {} };
    const server = createLimitedServer(() => {}, options);
    expect(server.maxHeadersCount).toBe(0);
  });

  it("answers problem+json for paths, methods and escapes that are none of its own", async () => {
    await using tested = await TestedAuthority.start();
    const close = "Host: 127.0.0.1\r\nConnection: close\r\n\r\n";
    for (const target of ["/nope", "/", "/v1/agent", "/V1/whoami", "/v1/whoami/", "//v1/whoami"]) {
      expectRefusal(await tested.call("GET", target), 404, "invalid_request");
    }
    expectRawRefusal(await sendRaw(tested.url, `GET /v1/agent/%zz HTTP/1.1\r\n${close}`), 400);
    expectRawRefusal(await sendRaw(tested.url, `PROPFIND /healthz HTTP/1.1\r\n${close}`), 404);
    const wrongMethod = await tested.call("DELETE", "/v1/agent/agent-1");
    expectRefusal(wrongMethod, 405, "invalid_request");
    expect(wrongMethod.headers.allow).toBe("GET");
    expectRefusal(await tested.call("GET", "/v1/agent/a/task/register"), 405, "invalid_request");
  });

  it("finds no agent and no task by an invalid id, also if the database would fail on it", async () => {
    await using tested = await TestedAuthority.start({ publicUrl: "https://authority.example" });
    const { id, key, token } = await tested.agent();
    const human = { authorization: `Bearer ${token}` };
    const reader = { authorization: `Bearer ${await tested.token("resource_server")}` };
    for (const none of ["%00", "a%00b", "%E2%82%AC"]) {
      const body = taskBody(id, key, NOON);
      const registered = await tested.call("POST", taskPath(none), { body });
      expectRefusal(registered, 401, "unknown_agent");
      const revoked = await tested.call("POST", `/v1/agent/${none}/revoke`, { headers: human });
      expectRefusal(revoked, 404, "unknown_agent");
      const read = await tested.call("GET", `/v1/agent/${none}`, { headers: reader });
      expectRefusal(read, 404, "unknown_agent");
      const task = await tested.call("GET", `/v1/agent/${id}/task/${none}`, { headers: reader });
      expect(task).toMatchObject({ status: 200, body: { task: null } });
    }
  });

  it("discloses nothing about an internal fault (G-A47)", async () => {
    const logged: unknown[] = [];
    const logger = { info: () => {}, error: (fields: object) => logged.push(fields) };
    await using tested = await TestedAuthority.start({ logger });
    const { rows } = tested.store;
    await rows.schema.alterTable("access_tokens").renameColumn("expires_at", "ends_at").execute();
    const answer = await tested.call("GET", "/v1/whoami", {
      headers: { authorization: `Bearer cs_human_${"A".repeat(43)}` },
    });
    expectRefusal(answer, 500, "server_error");
    expect(answer.text).not.toMatch(/access_tokens|sql/i);
    expect(logged).toHaveLength(1);
  });

  it("discloses nothing about a broken or busy database, and says when to try again", async () => {
    await using tested = await TestedAuthority.start();
    const { id } = await tested.agent();
    await tested.store.rows.updateTable("agents").set({ capabilities: "{}" }).execute();
    const broken = await tested.call("GET", `/v1/agent/${id}`);
    expectRefusal(broken, 500, "server_error");
    expect(broken.text).not.toContain("database");
    const holder = new AgentAuthorityError("store_locked", "held");
    const problem = toProblem(holder);
    expect(problem).toMatchObject({ status: 503, code: "server_error" });
    expect(problem.headers["retry-after"]).toBe("1");
    expect(problem.body).not.toContain("held");
    const cause = new Error("of the driver");
    for (const code of ["store_denied", "store_corrupt", "config_invalid"] as const) {
      const unusable = toProblem(new AgentAuthorityError(code, "held", { cause }));
      expect(unusable).toMatchObject({ status: 503, code: "server_error" });
      expect(unusable.headers["retry-after"]).toBe("1");
      expect(unusable.body).not.toContain("held");
    }
  });

  it("is alive and ready", async () => {
    await using tested = await TestedAuthority.start();
    for (const path of ["/healthz", "/readyz", "/backend-api/healthz"]) {
      const answer = await tested.call("GET", path);
      expect([answer.status, answer.body]).toEqual([200, { status: "ok" }]);
      expect(answer.headers.date).toBe(new Date(NOON).toUTCString());
    }
  });

  it("is alive but not ready without its database", async () => {
    await using tested = await TestedAuthority.start();
    await tested.store.close();
    expect((await tested.call("GET", "/healthz")).status).toBe(200);
    expectRefusal(await tested.call("GET", "/readyz"), 503, "server_error");
  });

  it("asks its database once for probes that come at once, and again for the next", async () => {
    await using tested = await TestedAuthority.start();
    const asked = vi.spyOn(tested.store.rows, "getExecutor");
    const probes = () => Promise.all(Array.from({ length: 5 }, () => isAnswering(tested.store)));
    for (const times of [1, 2]) {
      expect(await probes()).toEqual([true, true, true, true, true]);
      expect(asked).toHaveBeenCalledTimes(times);
    }
  });

  it("says whose token it is, to its human alone", async () => {
    await using tested = await TestedAuthority.start();
    expectRefusal(await tested.call("GET", "/v1/whoami"), 401, "unauthenticated");
    for (const role of ["resource_server", "read", "operate"] as const) {
      const headers = { authorization: `Bearer ${await tested.token(role)}` };
      expectRefusal(await tested.call("GET", "/v1/whoami", { headers }), 401, "unauthenticated");
    }
    const headers = { authorization: `bearer ${await tested.token("human", "user-7")}` };
    const answer = await tested.call("GET", "/backend-api/v1/whoami", { headers });
    expect([answer.status, answer.body]).toMatchObject([
      200,
      { account_id: "acct-1", user_id: "user-7" },
    ]);
    expect(answer.headers["cache-control"]).toBe("no-store");
  });

  it("logs requests without query, token, biscuit or key (G-A47)", async () => {
    const lines: unknown[] = [];
    const logger = {
      info: (fields: object, message: string) => lines.push({ ...fields, message }),
      error: (fields: object) => lines.push(fields),
    };
    await using tested = await TestedAuthority.start({ logger });
    const { token } = await tested.agent();
    const biscuit = await tested.biscuit(token, "/v1/agent/register");
    await tested.call("POST", "/v1/agent/register?secret=1", {
      headers: { "x-openai-authorization": `${biscuit}x` },
      body: agentBody(AgentKey.generate()),
    });
    await sendRaw(
      tested.url,
      "GET http://user-1:secret@authority.example/v1/whoami HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    );
    await tested.authority.close();
    const text = JSON.stringify(lines);
    expect(text).not.toMatch(/secret|cs_human_|cs_biscuit_|ssh-ed25519/);
    expect(lines).toContainEqual({
      method: "POST",
      path: "/v1/agent/register",
      status: 401,
      ms: expect.any(Number),
      code: "biscuit_invalid",
      request_id: expect.any(String),
      address: "127.0.0.1",
      message: "request",
    });
  });
});

describe("listening and closing", () => {
  it("rejects a taken port, another machine's address and an invalid port", async () => {
    await using tested = await TestedAuthority.start();
    const { authority, url } = tested;
    const listen = (host: string, port: number) => authority.listen({ host, port });
    const taken = listen("127.0.0.1", Number(new URL(url).port));
    await expectRejection(taken, AgentAuthorityError, "address_in_use");
    await expect(taken).rejects.toThrow(new URL(url).host);
    await expectRejection(listen("192.0.2.1", 0), AgentAuthorityError, "config_invalid");
    await expectRejection(listen("127.0.0.1", 70_000), AgentAuthorityError, "config_invalid");
  });

  it("answers 503 on a server of the caller's own once it is closed, 200 before", async () => {
    await using tested = await TestedAuthority.start();
    const { authority } = tested;
    const server = createServer(authority.handler);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const ask = () => fetch(`http://127.0.0.1:${port}/healthz`);
    try {
      expect((await ask()).status).toBe(200);
      await authority.close();
      const refused = await ask();
      expect(refused.status).toBe(503);
      expect(refused.headers.get("retry-after")).toBe("1");
      expect(await refused.json()).toMatchObject({ code: "server_error" });
    } finally {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });

  it("answers 503 to what was sent before and is not yet read, on a connection that was kept", async () => {
    await using tested = await TestedAuthority.start();
    const { hostname, port } = new URL(tested.url);
    const socket = connect({ host: hostname, port: Number(port) });
    sockets.push(socket);
    socket.setEncoding("utf8");
    const ended = new Promise<void>((resolve) => socket.on("close", () => resolve()));
    const request = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
    let answer = "";
    await new Promise<void>((resolve) => {
      socket.on("data", (chunk) => {
        answer += chunk;
        resolve();
      });
      socket.write(request);
    });
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
    answer = "";
    socket.write(request);
    await Promise.all([tested.authority.close(), ended]);
    expect(answer).toMatch(/^HTTP\/1\.1 503 /);
  });

  it("lets an open request end, refuses the next, and may be closed twice", async () => {
    await using tested = await TestedAuthority.start();
    const { hostname, port } = new URL(tested.url);
    const socket = connect({ host: hostname, port: Number(port) });
    sockets.push(socket);
    socket.setEncoding("utf8");
    const body = JSON.stringify(agentBody(AgentKey.generate()));
    const head = `POST /v1/agent/register HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${await tested.token()}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
    await new Promise<void>((resolve) => socket.write(head, () => resolve()));
    // The next answer shows that the server has read what came before it.
    await tested.call("GET", "/healthz");
    const closed = tested.authority.close();
    let answer = "";
    const ended = new Promise<void>((resolve) => socket.on("close", () => resolve()));
    socket.on("data", (chunk) => {
      answer += chunk;
    });
    socket.write(body);
    await Promise.all([closed, ended, tested.authority.close()]);
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
    await expect(tested.call("GET", "/healthz")).rejects.toThrow();
    const late = await tested.authority
      .listen({ host: "127.0.0.1", port: 0 })
      .catch((reason: unknown) => reason);
    expect(AgentAuthorityError.is(late) && [late.code, late.retryable]).toEqual([
      "server_error",
      true,
    ]);
  });
});
