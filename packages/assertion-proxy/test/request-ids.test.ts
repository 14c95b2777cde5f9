import { describe, expect, test } from "vitest";
import { connectRaw, readAnswer, sendRaw } from "./raw-client.js";
import { startRawUpstream } from "./raw-upstream.js";
import { startAuthorizer } from "./start-authorizer.js";
import { startGateway } from "./start-gateway.js";
import { startSigningProxy, TOKEN } from "./start-signing-proxy.js";
import { createTestAgent } from "./test-agent.js";
import { HANDSHAKE, SWITCH } from "./websocket-bytes.js";

const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/;
const TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

function idsIn(head: string): readonly (string | undefined)[] {
  return [...head.matchAll(/^[xX][-_.]request[-_.]id: (.*)\r$/gim)].map(([, id]) => id);
}

describe("the gateway", () => {
  test.each([
    ["none", ""],
    ["a blank in it", "X-Request-Id: a b\r\n"],
    ["syntax of a shell", "X-Request-Id: $(reboot)\r\n"],
    ["129 characters", `X-Request-Id: ${"a".repeat(129)}\r\n`],
    ["a credential", "X-Request-Id: cs_human_s3cr3ts3cr3ts3cr3t\r\n"],
    ["two of them", "X-Request-Id: req-1\r\nX-Request-Id: req-2\r\n"],
    ["another spelling", "X_Request_Id: req-1\r\n"],
  ])("makes an id for a request with %s", async (_, lines) => {
    const upstream = await startRawUpstream();
    const gateway = await startGateway({ upstream: upstream.url });
    const answer = await sendRaw(gateway.url, gateway.request("GET", "/v1", lines));
    const [id = "", ...more] = idsIn(answer.head);
    expect(id).toMatch(UUID);
    expect(more).toEqual([]);
    const { bytes } = await upstream.connection(0);
    expect(idsIn(bytes.text)).toEqual([id]);
    expect(await gateway.entry(0)).toMatchObject({ request_id: id });
    expect(JSON.stringify(gateway.audit)).not.toContain("s3cr3t");
  });

  test("refuses its own field under a name with unusual characters", async () => {
    const upstream = await startRawUpstream();
    const gateway = await startGateway({ upstream: upstream.url });
    const request = gateway.request("GET", "/v1", "X.Request.Id: req-1\r\n");
    expect(await sendRaw(gateway.url, request)).toMatchObject({ status: 400 });
    expect(upstream.connections).toHaveLength(0);
  });

  test("gives upstream, client and audit the id that the client gave, and the directory too (G-G19)", async () => {
    const upstream = await startRawUpstream();
    const asked: (string | undefined)[] = [];
    const { verifier } = createTestAgent();
    const gateway = await startGateway({
      upstream: upstream.url,
      verifier: {
        ...verifier,
        verify(_, options) {
          asked.push(options?.requestId);
          return Promise.reject(new Error("not now"));
        },
      },
    });
    const request = gateway.request("GET", "/v1", "X-Request-Id: 1-abc@x/y:z+~=._\r\n");
    const answer = await sendRaw(gateway.url, request);
    expect(answer.status).toBe(503);
    expect(idsIn(answer.head)).toEqual(["1-abc@x/y:z+~=._"]);
    expect(asked).toEqual(["1-abc@x/y:z+~=._"]);
    expect(await gateway.entry(0)).toMatchObject({ request_id: "1-abc@x/y:z+~=._" });
  });

  test("names bytes that are no request too", async () => {
    const gateway = await startGateway({ upstream: "http://127.0.0.1:1" });
    const client = await connectRaw(gateway.url);
    client.send("hello\r\n\r\n");
    const { head } = await readAnswer(client);
    const [id = ""] = idsIn(head);
    expect(id).toMatch(UUID);
    expect(await gateway.entry(0)).toMatchObject({ request_id: id, address: "127.0.0.1" });
  });

  test("leaves the upstream's own id in its answer, and keeps it in the audit", async () => {
    const own = "HTTP/1.1 200 OK\r\nx-request-id: req_own\r\ncontent-length: 2\r\n\r\nok";
    const upstream = await startRawUpstream(own);
    const gateway = await startGateway({ upstream: upstream.url });
    const request = gateway.request("GET", "/v1", "X-Request-Id: req-1\r\n");
    const answer = await sendRaw(gateway.url, request);
    expect(idsIn(answer.head)).toEqual(["req_own"]);
    expect(await gateway.entry(0)).toMatchObject({
      request_id: "req-1",
      upstream_request_id: "req_own",
    });
  });

  test("gives its own id with a refused answer, whose id is in the audit alone", async () => {
    const refusing = "HTTP/1.1 401 No\r\nx-request-id: req_own\r\ncontent-length: 0\r\n\r\n";
    const upstream = await startRawUpstream(refusing);
    const gateway = await startGateway({ upstream: upstream.url });
    const request = gateway.request("GET", "/v1", "X-Request-Id: req-1\r\n");
    const answer = await sendRaw(gateway.url, request);
    expect([answer.status, ...idsIn(answer.head)]).toEqual([502, "req-1"]);
    expect(await gateway.entry(0)).toMatchObject({
      request_id: "req-1",
      upstream_request_id: "req_own",
      code: "upstream_refused",
    });
  });

  test("gives its id with a WebSocket's 101", async () => {
    const upstream = await startRawUpstream(SWITCH);
    const gateway = await startGateway({ upstream: upstream.url });
    const client = await connectRaw(gateway.url);
    client.send(gateway.request("GET", "/v1", `${HANDSHAKE}X-Request-Id: req-1\r\n`));
    expect(idsIn(await client.bytes.until("\r\n\r\n"))).toEqual(["req-1"]);
  });

  test("writes who asked, by what, how much, and what the upstream said", async () => {
    const refusing = "HTTP/1.1 401 No\r\ncontent-length: 0\r\n\r\n";
    const upstream = await startRawUpstream(refusing);
    const gateway = await startGateway({ upstream: upstream.url, trustedProxies: ["127.0.0.1"] });
    const lines = [
      "X-Forwarded-For: 192.0.2.9, 203.0.113.7",
      "User-Agent: codex_cli_rs/0.171.0",
      `traceparent: ${TRACEPARENT}`,
      "Content-Length: 5",
    ];
    const head = gateway.request("POST", "/v1", lines.map((line) => `${line}\r\n`).join(""));
    const answer = await sendRaw(gateway.url, `${head}hello`);
    expect(answer.status).toBe(502);
    expect(await gateway.entry(0)).toMatchObject({
      address: "203.0.113.7",
      user_agent: "codex_cli_rs/0.171.0",
      traceparent: TRACEPARENT,
      status: 502,
      upstream_status: 401,
      code: "upstream_refused",
      bytes_in: 5,
      bytes_out: answer.body.length,
      user_id: "user-1",
    });
  });

  test("believes no address that a stranger names", async () => {
    const upstream = await startRawUpstream();
    const gateway = await startGateway({ upstream: upstream.url });
    const request = gateway.request("GET", "/v1", "X-Forwarded-For: 203.0.113.7\r\n");
    await sendRaw(gateway.url, request);
    expect(await gateway.entry(0)).toMatchObject({ address: "127.0.0.1", bytes_out: 2 });
  });
});

test("the authorizer answers with the id, and names the client behind its gateway", async () => {
  const authorizer = await startAuthorizer({ gateway: "nginx" });
  const pair = "X-Original-Method: GET\r\nX-Original-URI: /v1\r\n";
  const lines = `${pair}X-Forwarded-For: 203.0.113.7\r\nX-Request-Id: req-1\r\n`;
  const answer = await sendRaw(authorizer.url, authorizer.request("GET", "/auth", lines));
  expect(answer.status).toBe(200);
  expect(idsIn(answer.head)).toEqual(["req-1"]);
  expect(await authorizer.audit.entry(0)).toMatchObject({
    request_id: "req-1",
    address: "203.0.113.7",
    path: "/v1",
  });
});

test.each([
  ["req-1", /^req-1$/],
  [`x-${TOKEN}`, UUID],
])(
  "the signing proxy passes %j on as %j: no id holds the client token (G-P4, G-G19)",
  async (given, id) => {
    const upstream = await startRawUpstream();
    const signing = await startSigningProxy({ upstream: upstream.url });
    const lines = `X-Request-Id: ${given}\r\nUser-Agent: sdk/1\r\n`;
    const answer = await sendRaw(signing.url, signing.request("GET", "/v1", lines));
    const [sent = ""] = idsIn((await upstream.connection(0)).bytes.text);
    expect(sent).toMatch(id);
    expect(idsIn(answer.head)).toEqual([sent]);
    await expect.poll(() => signing.audit).toHaveLength(1);
    expect(signing.audit[0]).toMatchObject({ request_id: sent, user_agent: "sdk/1" });
  },
);
