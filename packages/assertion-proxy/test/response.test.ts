import { describe, expect, test } from "vitest";
import { connectRaw, readAnswer, sendRaw } from "./raw-client.js";
import { startRawUpstream } from "./raw-upstream.js";
import { startGateway } from "./start-gateway.js";

async function answered(answer: string, method = "GET") {
  const upstream = await startRawUpstream(answer);
  const gateway = await startGateway({ upstream: upstream.url });
  const client = await connectRaw(gateway.url);
  client.send(gateway.request(method, "/v1"));
  return { client, gateway, upstream };
}

async function answer(bytes: string) {
  const { client, gateway } = await answered(bytes);
  return { ...(await readAnswer(client)), entry: await gateway.entry(0) };
}

describe("what the client reads", () => {
  test("is the upstream's status, reason, fields in order and body", async () => {
    const { head, body } = await answer(
      "HTTP/1.1 207 Several Things\r\nX-A: 1\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\nDate: Mon, 23 Mar 2026 12:00:00 GMT\r\nContent-Length: 3\r\n\r\nabc",
    );
    expect(head).toMatch(
      /^HTTP\/1\.1 207 Several Things\r\nX-A: 1\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\nDate: Mon, 23 Mar 2026 12:00:00 GMT\r\nx-request-id: [\da-f-]{36}\r\ncontent-length: 3\r\n/,
    );
    expect(body).toBe("abc");
  });

  test("has no field of the upstream's connection", async () => {
    const { head } = await answer(
      "HTTP/1.1 200 OK\r\nConnection: keep-alive, X-Named\r\nKeep-Alive: timeout=77\r\nX-Named: gone\r\nUpgrade: h2c\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n",
    );
    expect(head).not.toMatch(/X-Named|timeout=77|upgrade|proxy-authenticate/i);
  });

  test("is a redirect as it came, never followed (G-G11)", async () => {
    const { status, head, entry } = await answer(
      "HTTP/1.1 307 Temporary Redirect\r\nLocation: https://elsewhere.example/x\r\nContent-Length: 0\r\n\r\n",
    );
    expect(status).toBe(307);
    expect(head).toContain("Location: https://elsewhere.example/x\r\n");
    expect(entry).toMatchObject({ status: 307, account_id: "acct-1" });
    expect(entry).not.toHaveProperty("code");
  });

  test("has the upstream's trailers, but none that changes the message", async () => {
    const { head, body } = await answer(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum, Set-Cookie\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 9\r\nSet-Cookie: a=1\r\nWWW-Authenticate: AgentAssertion\r\nContent_Length: 7\r\n\r\n",
    );
    expect(head).toContain("trailer: x-sum\r\n");
    expect(body).toBe("3\r\nabc\r\n0\r\nX-Sum: 9\r\n\r\n");
  });

  test("is the head alone for HEAD, with the length that the upstream named", async () => {
    const { client } = await answered("HTTP/1.1 200 OK\r\nContent-Length: 12345\r\n\r\n", "HEAD");
    expect(await client.bytes.until("\r\n\r\n")).toContain("content-length: 12345\r\n");
  });

  test.each([204, 304])("has no body with %i", async (status) => {
    const { client, gateway } = await answered(`HTTP/1.1 ${status} x\r\nETag: "1"\r\n\r\n`);
    const text = await client.bytes.until("\r\n\r\n");
    expect(text).toMatch(new RegExp(`^HTTP/1.1 ${status} x\r\nETag: "1"\r\n`));
    expect(text).not.toMatch(/transfer-encoding/i);
    expect(await gateway.entry(0)).toMatchObject({ status });
  });

  test("is a body that ends with the upstream's connection", async () => {
    const upstream = await startRawUpstream("HTTP/1.0 200 OK\r\n\r\nuntil the end");
    const gateway = await startGateway({ upstream: upstream.url });
    const client = await connectRaw(gateway.url);
    client.send(gateway.request("GET", "/v1"));
    await client.bytes.until("until the end");
    (await upstream.connection(0)).socket.end();
    expect((await readAnswer(client)).body).toContain("until the end");
  });

  test("comes at once, event for event", async () => {
    const upstream = await startRawUpstream(
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n",
    );
    const gateway = await startGateway({ upstream: upstream.url });
    const client = await connectRaw(gateway.url);
    client.send(gateway.request("GET", "/v1"));
    // The head first, before there is a body.
    expect(await client.bytes.until("\r\n\r\n")).toContain("Content-Type: text/event-stream\r\n");
    const { socket } = await upstream.connection(0);
    // Each event is written only after the one before it has reached the client.
    for (const event of ["one", "two", "three"]) {
      const data = `data: ${event}\n\n`;
      socket.write(`${data.length.toString(16)}\r\n${data}\r\n`);
      await client.bytes.until(data);
    }
    expect(gateway.audit).toHaveLength(0);
    socket.write("0\r\n\r\n");
    await client.bytes.until("\r\n0\r\n\r\n");
    expect(await gateway.entry(0)).toMatchObject({ status: 200 });
  });

  test.each([
    '200 OK\r\nWWW-Authenticate: AgentAssertion error="unknown_task"',
    '404 Not Found\r\nwww_authenticate: agentassertion error="task_revoked"',
    '429 Slow\r\nWWW-Authenticate: Bearer realm="x",AgentAssertion error="agent_revoked"',
    "503 Later\r\nWWW-Authenticate: Basic\r\nWWW-Authenticate: AgentAssertion",
  ])("has no AgentAssertion challenge of the upstream: %j (G-G6)", async (lines) => {
    const { status, head, body } = await answer(
      `HTTP/1.1 ${lines}\r\nX-Own: 1\r\nContent-Length: 2\r\n\r\nno`,
    );
    expect({ status, body }).toEqual({ status: Number(lines.slice(0, 3)), body: "no" });
    expect(head).toContain("X-Own: 1\r\n");
    expect(head).not.toMatch(/agentassertion/i);
  });

  test("has the upstream's challenges of other schemes, unless it refuses the credential", async () => {
    const { head } = await answer(
      "HTTP/1.1 200 OK\r\nWWW-Authenticate: Basic realm=x\r\nContent-Length: 0\r\n\r\n",
    );
    expect(head).toContain("WWW-Authenticate: Basic realm=x\r\n");
  });

  test("follows an interim answer that is not passed on", async () => {
    const { status, head } = await answer(
      "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    );
    expect(status).toBe(200);
    expect(head).not.toContain("Link");
  });
});

describe("an upstream's refusal of the gateway's credential is 502 upstream_refused: (G-G11)", () => {
  test.each([
    "401 Unauthorized\r\nWWW-Authenticate: Bearer realm=secret-realm",
    "401 Unauthorized\r\nX-Nothing: 1",
    "407 Proxy Authentication Required\r\nX-Nothing: 1",
    "403 Forbidden\r\nWWW_Authenticate: Bearer realm=secret-realm",
  ])("%j", async (head) => {
    const {
      status,
      head: seen,
      body,
      entry,
    } = await answer(`HTTP/1.1 ${head}\r\nContent-Length: 11\r\n\r\nsecret-body`);
    expect(status).toBe(502);
    expect(JSON.parse(body)).toMatchObject({ code: "upstream_refused" });
    expect(seen + body).not.toContain("secret");
    expect(seen).not.toMatch(/www-authenticate/i);
    expect(entry).toMatchObject({ status: 502, code: "upstream_refused", task_id: "task_1" });
  });

  test("but a 403 without WWW-Authenticate is the upstream's own answer", async () => {
    expect(await answer("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno")).toMatchObject({
      status: 403,
      body: "no",
    });
  });
});

describe("an upstream that is no use is a problem that names it:", () => {
  test("unreachable", async () => {
    const gateway = await startGateway({ upstream: "http://127.0.0.1:1" });
    const { status, body } = await sendRaw(gateway.url, gateway.request("GET", "/v1"));
    expect(status).toBe(502);
    expect(JSON.parse(body)).toMatchObject({ code: "unreachable" });
    expect(body).toContain("127.0.0.1:1");
    expect(await gateway.entry(0)).toMatchObject({ status: 502, code: "unreachable" });
  });

  test("silent", async () => {
    const upstream = await startRawUpstream("");
    const gateway = await startGateway({ upstream: upstream.url, limits: { responseMs: 30 } });
    const { status, body } = await sendRaw(gateway.url, gateway.request("GET", "/v1"));
    expect(status).toBe(504);
    expect(JSON.parse(body)).toMatchObject({ code: "timeout" });
    await (await upstream.connection(0)).bytes.closed;
  });

  test("closing without an answer", async () => {
    const upstream = await startRawUpstream("");
    const gateway = await startGateway({ upstream: upstream.url });
    const client = await connectRaw(gateway.url);
    client.send(gateway.request("POST", "/v1"));
    (await upstream.connection(0)).socket.end();
    expect(await readAnswer(client)).toMatchObject({ status: 502 });
    expect(await gateway.entry(0)).toMatchObject({ code: "unreachable" });
    expect(upstream.connections).toHaveLength(1);
  });

  test.each([
    "nonsense\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer_Encoding: chunked\r\nContent-Length: 1\r\n\r\nx",
    `HTTP/1.1 200 OK\r\nX-Filler: ${"x".repeat(40_000)}\r\n\r\n`,
  ])("sending no answer that can be read (%#)", async (bytes) => {
    const { status, body, entry } = await answer(bytes);
    expect(status).toBe(502);
    expect(JSON.parse(body)).toMatchObject({ code: "bad_response" });
    expect(entry).toMatchObject({ code: "bad_response" });
  });

  test("with a length that only its client would count by, behind which another answer hides (G-G7)", async () => {
    const upstream = await startRawUpstream("");
    const gateway = await startGateway({ upstream: upstream.url });
    const client = await connectRaw(gateway.url);
    client.send(gateway.request("GET", "/v1"));
    const { bytes, socket } = await upstream.connection(0);
    await bytes.until("\r\n\r\n");
    socket.end(
      "HTTP/1.1 200 OK\r\nContent_Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\npoison",
    );
    expect(await readAnswer(client)).toMatchObject({ status: 502 });
    expect(await gateway.entry(0)).toMatchObject({ code: "bad_response" });
    expect(client.bytes.text).not.toContain("poison");
  });

  test("switching protocols without being asked", async () => {
    const { status, entry } = await answer(
      "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    );
    expect(status).toBe(502);
    expect(entry).toMatchObject({ status: 502, code: "bad_response" });
  });
});

describe("an answer that breaks off", () => {
  test("breaks off at the client too, and never looks whole", async () => {
    const upstream = await startRawUpstream(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
    );
    const gateway = await startGateway({ upstream: upstream.url });
    const client = await connectRaw(gateway.url);
    client.send(gateway.request("GET", "/v1"));
    await client.bytes.until("abc");
    (await upstream.connection(0)).socket.destroy();
    await client.bytes.closed;
    expect(client.bytes.text).not.toContain("0\r\n\r\n");
    expect(await gateway.entry(0)).toMatchObject({ status: 200, code: "bad_response" });
  });

  test("and one that stands still is ended", async () => {
    const upstream = await startRawUpstream(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
    );
    const gateway = await startGateway({ upstream: upstream.url, limits: { idleMs: 30 } });
    const client = await connectRaw(gateway.url);
    client.send(gateway.request("GET", "/v1"));
    await client.bytes.closed;
    await (await upstream.connection(0)).bytes.closed;
    expect(await gateway.entry(0)).toMatchObject({ status: 200, code: "timeout" });
  });

  test("because the client went away ends the upstream's work", async () => {
    const upstream = await startRawUpstream(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
    );
    const gateway = await startGateway({ upstream: upstream.url });
    const client = await connectRaw(gateway.url);
    client.send(gateway.request("GET", "/v1"));
    await client.bytes.until("abc");
    client.socket.destroy();
    await (await upstream.connection(0)).bytes.closed;
    expect(await gateway.entry(0)).toMatchObject({ status: 200, code: "cancelled" });
  });

  test("before it began ends it as well", async () => {
    const upstream = await startRawUpstream("");
    const gateway = await startGateway({ upstream: upstream.url });
    const client = await connectRaw(gateway.url);
    client.send(gateway.request("GET", "/v1"));
    const { bytes } = await upstream.connection(0);
    await bytes.until("\r\n\r\n");
    client.socket.destroy();
    await bytes.closed;
    expect(await gateway.entry(0)).toMatchObject({ status: 499, code: "cancelled" });
  });
});
