import { describe, expect, test } from "vitest";
import { ADDED, comparableHead } from "./forwarded-head.js";
import { connectRaw, readAnswer, sendRaw } from "./raw-client.js";
import { startRawUpstream } from "./raw-upstream.js";
import { startGateway, type TestGateway, type TestGatewayOptions } from "./start-gateway.js";
import { ACCEPT, HANDSHAKE, KEY, openTunnel, SWITCH } from "./websocket-bytes.js";

describe("a WebSocket handshake is refused, and the upstream receives nothing of it, with (G-G8)", () => {
  const CASES: readonly [string, string, string?][] = [
    ["no key", HANDSHAKE.replace(/Sec-WebSocket-Key.*\r\n/, "")],
    ["two keys", `${HANDSHAKE}Sec_WebSocket_Key: ${KEY}\r\n`],
    ["a key of 15 bytes", HANDSHAKE.replace(KEY, "AAAAAAAAAAAAAAAAAAAA")],
    ["a key with stray bits", HANDSHAKE.replace(KEY, "AAAAAAAAAAAAAAAAAAAAAB==")],
    ["no version", HANDSHAKE.replace(/Sec-WebSocket-Version.*\r\n/, "")],
    ["another version", HANDSHAKE.replace("13", "8")],
    ["two versions", `${HANDSHAKE}Sec-WebSocket-Version: 13\r\n`],
    ["a subprotocol that is no name", `${HANDSHAKE}Sec-WebSocket-Protocol: a b\r\n`],
    ["an extension that is not valid", `${HANDSHAKE}Sec-WebSocket-Extensions: x; =1\r\n`],
    ["an upgrade that Connection does not name", HANDSHAKE.replace("keep-alive, Upgrade", "close")],
    ["another method", HANDSHAKE, "POST"],
    ["a length", `${HANDSHAKE}Content-Length: 2\r\n`],
    ["a body in chunks", `${HANDSHAKE}Transfer-Encoding: chunked\r\n`],
  ];
  test.each(CASES)("%s", async (_, lines, method = "GET") => {
    const upstream = await startRawUpstream();
    const gateway = await startGateway({ upstream: upstream.url });
    const client = await connectRaw(gateway.url);
    client.send(gateway.request(method, "/v1", lines));
    const { status, head, body } = await readAnswer(client);
    expect(status).toBe(400);
    expect(head).toMatch(/^content-type: application\/problem\+json\r$/im);
    expect(head).toMatch(/^connection: close\r$/im);
    expect(JSON.parse(body)).toMatchObject({ code: "invalid_request" });
    await client.bytes.closed;
    expect(await gateway.entry(0)).toMatchObject({ status: 400, code: "invalid_request" });
    expect(upstream.connections).toHaveLength(0);
  });

  const UNADMITTED: readonly [string, string, (gateway: TestGateway) => string][] = [
    ["no assertion", "missing", () => `GET /v1 HTTP/1.1\r\nHost: x\r\n${HANDSHAKE}\r\n`],
    [
      "two Authorization lines",
      "malformed",
      (gateway) => gateway.request("GET", "/v1", `${HANDSHAKE}Authorization: Bearer x\r\n`),
    ],
    [
      "another account",
      "forbidden",
      (gateway) => gateway.request("GET", "/v1", `${HANDSHAKE}ChatGPT-Account-ID: acct-2\r\n`),
    ],
  ];
  test.each(UNADMITTED)("%s", async (_, code, bytes) => {
    const upstream = await startRawUpstream();
    const gateway = await startGateway({ upstream: upstream.url });
    const client = await connectRaw(gateway.url);
    client.send(bytes(gateway));
    expect(JSON.parse((await readAnswer(client)).body)).toMatchObject({ code });
    await client.bytes.closed;
    expect(await gateway.entry(0)).toMatchObject({ code });
    expect(upstream.connections).toHaveLength(0);
  });

  test("a request that is not yet answered before it", async () => {
    const upstream = await startRawUpstream("");
    const gateway = await startGateway({ upstream: upstream.url });
    const client = await connectRaw(gateway.url);
    client.send(gateway.request("GET", "/1"));
    await (await upstream.connection(0)).bytes.until("\r\n\r\n");
    client.send(gateway.request("GET", "/2", HANDSHAKE));
    await client.bytes.closed;
    expect(client.bytes.text).toBe("");
    expect([await gateway.entry(0), await gateway.entry(1)]).toMatchObject([
      { path: "/2", status: 400 },
      { path: "/1", status: 499 },
    ]);
  });
});

describe("what the upstream reads of a WebSocket handshake", () => {
  async function forwarded(lines: string, options: Partial<TestGatewayOptions> = {}) {
    const upstream = await startRawUpstream("");
    const gateway = await startGateway({ ...options, upstream: upstream.url });
    const client = await connectRaw(gateway.url);
    client.send(gateway.request("GET", "/v1/responses?x=1", lines));
    const { bytes } = await upstream.connection(0);
    const seen = await bytes.until("\r\n\r\n");
    return comparableHead(seen);
  }

  test("is a request built from nothing, with what was verified at its end", async () => {
    const lines = `${HANDSHAKE}OpenAI-Beta: responses_websockets=2026-02-06\r\n`;
    expect(await forwarded(lines)).toBe(
      `GET /v1/responses?x=1 HTTP/1.1\r\nhost: UPSTREAM\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-key: ${KEY}\r\nsec-websocket-version: 13\r\nOpenAI-Beta: responses_websockets=2026-02-06\r\n${ADDED}`,
    );
  });

  test("asks for the client's subprotocols and extensions, on a line each", async () => {
    const seen = await forwarded(
      `${HANDSHAKE}Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: b,c\r\nSec-WebSocket-Extensions: permessage-deflate; client_max_window_bits, x; y="1"\r\n`,
    );
    expect(seen).toContain("sec-websocket-protocol: a, b, c\r\n");
    expect(seen).toContain(
      'sec-websocket-extensions: permessage-deflate; client_max_window_bits, x; y="1"\r\n',
    );
    expect(seen.match(/sec-websocket-/gi)).toHaveLength(4);
  });

  test.each([
    "X-Agent-Runtime-Id: evil",
    "x_agent_task_id: evil",
    "Cookie: session=evil",
    "X-Forwarded-For: evil",
    "Forwarded: for=evil",
    "X-Real-IP: evil",
    "X-HTTP-Method-Override: evil",
    "Proxy-Authorization: evil",
    "Sec-WebSocket-Accept: evil",
    "Sec_WebSocket_Anything: evil",
    "Expect: evil",
    "x_api_key: evil",
    "Connection: X-Named\r\nX-Named: evil",
  ])("has no line of the client's %j", async (line) => {
    const seen = await forwarded(`${HANDSHAKE}${line}\r\nX-Kept: yes\r\n`, {
      upstreamHeaders: { "X-Api-Key": "gateway-key" },
    });
    expect(seen).not.toContain("evil");
    expect(seen).not.toContain("AgentAssertion");
    expect(seen).toContain(`X-Kept: yes\r\nX-Api-Key: gateway-key\r\n${ADDED}`);
  });
});

describe("an upstream's answer to a WebSocket handshake", () => {
  test("opens the tunnel, with its own fields, and without those of its connection", async () => {
    const { client } = await openTunnel({
      answer: SWITCH.replace(
        "\r\n\r\n",
        '\r\nX-Turn-State: \u00ff7\r\nKeep-Alive: timeout=7\r\nContent-Length: 7\r\nWWW-Authenticate: AgentAssertion error="unknown_task"\r\nSec-WebSocket-Key: x\r\n\r\n',
      ),
    });
    expect(comparableHead(client.bytes.text.replace(/date: .*\r\n/i, ""))).toBe(
      `HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: ${ACCEPT}\r\nX-Turn-State: \u00ff7\r\nx-request-id: ID\r\n\r\n`,
    );
  });

  test("may choose of the subprotocols and extensions that the client asked for", async () => {
    const { client } = await openTunnel({
      lines: `${HANDSHAKE}Sec-WebSocket-Protocol: a, b\r\nSec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n`,
      answer: SWITCH.replace(
        "\r\n\r\n",
        "\r\nSec-WebSocket-Protocol: b\r\nSec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=15\r\n\r\n",
      ),
    });
    expect(client.bytes.text).toContain("sec-websocket-protocol: b\r\n");
    expect(client.bytes.text).toContain(
      "sec-websocket-extensions: permessage-deflate; client_max_window_bits=15\r\n",
    );
  });

  const BAD: readonly [string, string][] = [
    ["no accept value", SWITCH.replace(/Sec-WebSocket-Accept.*\r\n/, "")],
    ["another key's accept value", SWITCH.replace(ACCEPT, ACCEPT.toLowerCase())],
    [
      "two accept values",
      SWITCH.replace("\r\n\r\n", `\r\nSec_WebSocket_Accept: ${ACCEPT}\r\n\r\n`),
    ],
    ["another protocol", SWITCH.replace("Upgrade: websocket", "Upgrade: h2c")],
    ["two protocols", SWITCH.replace("\r\n\r\n", "\r\nUpgrade: h2c\r\n\r\n")],
    ["no protocol", SWITCH.replace("Upgrade: websocket\r\n", "")],
    [
      "a subprotocol that was not offered",
      SWITCH.replace("\r\n\r\n", "\r\nSec-WebSocket-Protocol: c\r\n\r\n"),
    ],
    [
      "two subprotocols",
      SWITCH.replace(
        "\r\n\r\n",
        "\r\nSec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: b\r\n\r\n",
      ),
    ],
    [
      "an extension that was not offered",
      SWITCH.replace("\r\n\r\n", "\r\nSec-WebSocket-Extensions: x-other\r\n\r\n"),
    ],
  ];
  test.each(BAD)("is 502 with %s, and no byte is tunnelled (G-G8)", async (_, answer) => {
    const upstream = await startRawUpstream(`${answer}\u0081\u0002hi`);
    const gateway = await startGateway({ upstream: upstream.url });
    const client = await connectRaw(gateway.url);
    const lines =
      "Sec-WebSocket-Protocol: a, b\r\nSec-WebSocket-Extensions: permessage-deflate\r\n";
    client.send(`${gateway.request("GET", "/v1", HANDSHAKE + lines)}\u0081\u0080\u0000\u0000`);
    const { status, head, body } = await readAnswer(client);
    expect(status).toBe(502);
    expect(JSON.parse(body)).toMatchObject({ code: "bad_response" });
    expect(head).toMatch(/^connection: close\r$/im);
    await client.bytes.closed;
    const { bytes } = await upstream.connection(0);
    await bytes.closed;
    expect(bytes.text).toMatch(/\r\n\r\n$/);
    expect(client.bytes.text).not.toContain("\u0081");
    expect(await gateway.entry(0)).toMatchObject({ status: 502, code: "bad_response" });
  });

  test("is 502 if it switches although the client did not ask for it, named or not", async () => {
    for (const answer of [SWITCH, SWITCH.replace("Upgrade: websocket\r\n", "")]) {
      const upstream = await startRawUpstream(answer);
      const gateway = await startGateway({ upstream: upstream.url });
      const { status, body } = await sendRaw(gateway.url, gateway.request("GET", "/v1"));
      expect(status).toBe(502);
      expect(JSON.parse(body)).toMatchObject({ code: "bad_response" });
      await (await upstream.connection(0)).bytes.closed;
    }
  });

  test.each([
    ["426 Upgrade Required", "Sec-WebSocket-Version: 13\r\nUpgrade: websocket\r\n", "no"],
    ["200 OK", "X-Many: 1\r\n", "hello"],
    ["307 Temporary Redirect", "Location: https://elsewhere.example/\r\n", ""],
    ["403 Forbidden", "", "no"],
  ])("passes on an answer of %s as it is, and ends the connection", async (line, lines, text) => {
    const upstream = await startRawUpstream(
      `HTTP/1.1 ${line}\r\n${lines}Content-Length: ${text.length}\r\n\r\n${text}`,
    );
    const gateway = await startGateway({ upstream: upstream.url });
    const client = await connectRaw(gateway.url);
    client.send(gateway.request("GET", "/v1", HANDSHAKE));
    const { status, head, body } = await readAnswer(client);
    expect({ status, body }).toEqual({ status: Number(line.slice(0, 3)), body: text });
    expect(head).toMatch(/^connection: close\r$/im);
    await client.bytes.closed;
    expect(await gateway.entry(0)).toMatchObject({ status, task_id: "task_1" });
  });

  test("passes on a body of any length at the client's pace", async () => {
    const length = 3_000_000;
    const upstream = await startRawUpstream(
      `HTTP/1.1 503 Later\r\nTransfer-Encoding: chunked\r\n\r\n${length.toString(16)}\r\n${"x".repeat(length)}\r\n0\r\nX-Sum: 9\r\n\r\n`,
    );
    const gateway = await startGateway({ upstream: upstream.url });
    const client = await connectRaw(gateway.url);
    client.send(gateway.request("GET", "/v1", HANDSHAKE));
    await client.bytes.until("X-Sum: 9\r\n\r\n");
    // One stands in the name of the field with the request's id.
    expect(client.bytes.text.split("x").length - 2).toBe(length);
    await client.bytes.closed;
  });

  test.each(["401 Unauthorized", "407 Proxy Authentication Required"])(
    "is 502 upstream_refused for %s: the gateway's credential failed",
    async (line) => {
      const upstream = await startRawUpstream(
        `HTTP/1.1 ${line}\r\nWWW-Authenticate: Bearer\r\nContent-Length: 6\r\n\r\nsecret`,
      );
      const gateway = await startGateway({ upstream: upstream.url });
      const answer = await sendRaw(gateway.url, gateway.request("GET", "/v1", HANDSHAKE));
      expect(JSON.parse(answer.body)).toMatchObject({ status: 502, code: "upstream_refused" });
      expect(answer.head + answer.body).not.toMatch(/secret|www-authenticate/i);
    },
  );

  test("that does not come is 504, or 499 when the client went away", async () => {
    const upstream = await startRawUpstream("");
    const gateway = await startGateway({ upstream: upstream.url, limits: { responseMs: 30 } });
    const answer = await sendRaw(gateway.url, gateway.request("GET", "/v1", HANDSHAKE));
    expect(answer.status).toBe(504);
    const patient = await startGateway({ upstream: upstream.url });
    const client = await connectRaw(patient.url);
    client.send(patient.request("GET", "/v1", HANDSHAKE));
    const { bytes } = await upstream.connection(1);
    await bytes.until("\r\n\r\n");
    client.socket.end();
    await bytes.closed;
    expect(await patient.entry(0)).toMatchObject({ status: 499, code: "cancelled" });
  });
});
