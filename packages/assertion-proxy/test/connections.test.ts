import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { connectRaw, readAnswer, sendRaw } from "./raw-client.js";
import { OK, startRawUpstream } from "./raw-upstream.js";
import { startGateway } from "./start-gateway.js";

describe("a client's connection", () => {
  test("carries one request after another, over one connection to the upstream", async () => {
    const upstream = await startRawUpstream("");
    const gateway = await startGateway({ upstream: upstream.url });
    const client = await connectRaw(gateway.url);
    for (const count of [1, 2, 3]) {
      client.send(gateway.request("GET", `/${count}`));
      const { bytes, socket } = await upstream.connection(0);
      await bytes.until("\r\n\r\n", count);
      socket.write(OK);
      await client.bytes.until("\r\n\r\nok", count);
    }
    expect(upstream.connections).toHaveLength(1);
    const { bytes } = await upstream.connection(0);
    expect(bytes.text.match(/^GET \/\d/gm)).toEqual(["GET /1", "GET /2", "GET /3"]);
  });

  test("gets the answers in the order of its requests, whichever comes first", async () => {
    const upstream = await startRawUpstream("");
    const gateway = await startGateway({ upstream: upstream.url });
    const client = await connectRaw(gateway.url);
    client.send(gateway.request("GET", "/1") + gateway.request("GET", "/2"));
    const connections = [await upstream.connection(0), await upstream.connection(1)];
    const heads = await Promise.all(connections.map(({ bytes }) => bytes.until("\r\n\r\n")));
    const answer = async (path: string): Promise<void> => {
      const at = heads.findIndex((head) => head.startsWith(`GET ${path} `));
      connections[at]?.socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n${path}`);
    };
    await answer("/2");
    // By now the answer to the second is there, were it passed on.
    await sendRaw(gateway.url, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    expect(client.bytes.text).toBe("");
    await answer("/1");
    expect(await client.bytes.until("\r\n\r\n/2")).toMatch(/\r\n\r\n\/1HTTP\/1\.1 200 /);
  });

  test("ends where CONNECT is sent behind a request, whose answer the refusal would pass for (G-G7)", async () => {
    const upstream = await startRawUpstream("");
    const gateway = await startGateway({ upstream: upstream.url });
    const client = await connectRaw(gateway.url);
    client.send(gateway.request("GET", "/1") + gateway.request("CONNECT", "api.example:443"));
    await client.bytes.closed;
    expect(client.bytes.text).toBe("");
    expect(await gateway.entry(0)).toMatchObject({ method: "CONNECT", status: 400 });
    expect(await gateway.entry(1)).toMatchObject({ path: "/1", code: "cancelled" });
  });

  test("of HTTP/1.0 is reset where the answer breaks off, since its end would pass for the answer's", async () => {
    const upstream = await startRawUpstream(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
    );
    const gateway = await startGateway({ upstream: upstream.url });
    const client = await connectRaw(gateway.url);
    const failed = once(client.socket, "error");
    client.send(gateway.request("GET", "/v1").replace("HTTP/1.1", "HTTP/1.0"));
    await client.bytes.until("\r\n\r\nabc");
    (await upstream.connection(0)).socket.destroy();
    expect((await failed)[0]).toMatchObject({ code: "ECONNRESET" });
  });

  test("of HTTP/1.0 ends with an answer that is whole", async () => {
    const upstream = await startRawUpstream(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    );
    const gateway = await startGateway({ upstream: upstream.url });
    const client = await connectRaw(gateway.url);
    const ended = once(client.socket, "end");
    client.send(gateway.request("GET", "/v1").replace("HTTP/1.1", "HTTP/1.0"));
    await ended;
    expect(client.bytes.text).toMatch(/\r\n\r\nabc$/);
  });
});

describe("the upstream never reads as a line of its own", () => {
  test.each([
    ["a line that is folded", "X-A: 1\r\n X-Agent-Task-Id: evil\r\n"],
    ["a line behind a bare line feed", "X-A: 1\nX-Agent-Task-Id: evil\r\n"],
    ["a line behind a bare carriage return", "X-A: 1\rX-Agent-Task-Id: evil\r\n"],
    ["a name with a space behind it", "X-Agent-Task-Id : evil\r\n"],
    ["a name that is not valid", "X-Agent(Task)Id: evil\r\n"],
    ["a value with a zero byte", "X-A: 1\u0000X-Agent-Task-Id: evil\r\n"],
  ])("%s", async (_, lines) => {
    const upstream = await startRawUpstream();
    const gateway = await startGateway({ upstream: upstream.url });
    const { status } = await sendRaw(gateway.url, gateway.request("GET", "/v1", lines));
    const seen = upstream.connections.map(({ bytes }) => bytes.text).join("");
    expect([200, 400]).toContain(status);
    expect(seen).not.toMatch(/^X-Agent.Task.Id ?: evil/im);
    if (status === 400) expect(seen).toBe("");
  });

  test("the preface of HTTP/2", async () => {
    const upstream = await startRawUpstream();
    const gateway = await startGateway({ upstream: upstream.url });
    const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    expect(await sendRaw(gateway.url, preface)).toMatchObject({ status: 400 });
    expect(upstream.connections).toHaveLength(0);
  });
});

test("bytes beyond ASCII in fields go through as they are, both ways", async () => {
  const upstream = await startRawUpstream(
    "HTTP/1.1 200 Gr\u00fcezi\r\nX-Back: \u00ff\u0080\r\nContent-Length: 0\r\n\r\n",
  );
  const gateway = await startGateway({ upstream: upstream.url });
  const client = await connectRaw(gateway.url);
  // With a body, before which the head goes out alone.
  const lines = "X-There: \u00c3\u00a9\u00ff\r\nTransfer-Encoding: chunked\r\n";
  client.send(gateway.request("POST", "/v1", lines));
  const { head } = await readAnswer(client);
  expect(head).toMatch(/^HTTP\/1\.1 200 Gr\u00fcezi\r\nX-Back: \u00ff\u0080\r\n/);
  const { bytes } = await upstream.connection(0);
  expect(bytes.text).toContain("X-There: \u00c3\u00a9\u00ff\r\n");
});

test("a client's Connection takes nothing away that the gateway adds", async () => {
  const upstream = await startRawUpstream();
  const gateway = await startGateway({
    upstream: upstream.url,
    upstreamHeaders: { "X-Api-Key": "gateway-key" },
  });
  const lines = "Connection: X-Api-Key, X-Agent-Task-Id, Host, Content-Length, Authorization\r\n";
  await sendRaw(
    gateway.url,
    `${gateway.request("POST", "/v1", `${lines}Content-Length: 2\r\n`)}hi`,
  );
  const { bytes } = await upstream.connection(0);
  expect(bytes.text).toMatch(/^host: 127\.0\.0\.1:\d+\r$/m);
  expect(bytes.text).toContain("content-length: 2\r\nX-Api-Key: gateway-key\r\n");
  expect(bytes.text).toContain("x-agent-task-id: task_1\r\n");
});

test("an upstream that takes the connection and never agrees on TLS is given up in time", async () => {
  const upstream = await startRawUpstream("");
  const gateway = await startGateway({
    upstream: upstream.url.replace("http:", "https:"),
    limits: { connectMs: 30, responseMs: 600_000 },
  });
  const { status, body } = await sendRaw(gateway.url, gateway.request("GET", "/v1"));
  expect(status).toBe(504);
  expect(JSON.parse(body)).toMatchObject({ code: "timeout" });
  await (await upstream.connection(0)).bytes.closed;
});
