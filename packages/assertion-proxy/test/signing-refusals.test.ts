import { describe, expect, test } from "vitest";
import { sendRaw } from "./raw-client.js";
import { startRawUpstream } from "./raw-upstream.js";
import { startSigningProxy, type TestSigningProxy, TOKEN } from "./start-signing-proxy.js";

interface Case {
  readonly rule: string;
  readonly bytes: (signing: TestSigningProxy) => string;
  readonly status: number;
  readonly code: string;
}

const BEARER = `Authorization: Bearer ${TOKEN}\r\n`;
const OK_ONCE = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
const HANDSHAKE =
  "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
  "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n";

const forbidden = (rule: string, bytes: Case["bytes"]): Case => ({
  rule,
  bytes,
  status: 403,
  code: "forbidden",
});
const wrongHost = (rule: string, host: (own: string) => string): Case =>
  forbidden(rule, (signing) => `GET /v1 HTTP/1.1\r\n${host(signing.host)}${BEARER}\r\n`);
const ofPage = (rule: string, lines: string): Case =>
  forbidden(rule, (signing) => signing.request("GET", "/v1", lines));
const noToken = (rule: string, lines: string): Case => ({
  rule,
  bytes: ({ host }) => `GET /v1 HTTP/1.1\r\nHost: ${host}\r\n${lines}\r\n`,
  status: 401,
  code: "unauthenticated",
});
const invalid = (rule: string, bytes: Case["bytes"]): Case => ({
  rule,
  bytes,
  status: 400,
  code: "invalid_request",
});
const badTarget = (rule: string, target: string): Case =>
  invalid(rule, (signing) => signing.request("GET", target));
const badHead = (rule: string, lines: string, body = "", method = "POST"): Case =>
  invalid(rule, (signing) => signing.request(method, "/v1", lines) + body);

const CASES: readonly Case[] = [
  wrongHost("a name that leads to this machine", () => "Host: page.example\r\n"),
  wrongHost(
    "such a name with the proxy's port",
    (own) => `Host: page.example:${own.split(":")[1]}\r\n`,
  ),
  wrongHost("another name of this machine", (own) => `Host: localhost:${own.split(":")[1]}\r\n`),
  wrongHost("another port", () => "Host: 127.0.0.1:1\r\n"),
  wrongHost("the address without its port", () => "Host: 127.0.0.1\r\n"),
  wrongHost("the address behind a user name", (own) => `Host: x@${own}\r\n`),
  wrongHost("an empty Host", () => "Host:\r\n"),
  wrongHost("no Host", () => ""),
  wrongHost("a second Host", (own) => `Host: ${own}\r\nHost: page.example\r\n`),
  forbidden("no Host in HTTP/1.0", () => `GET /v1 HTTP/1.0\r\n${BEARER}\r\n`),
  wrongHost(
    "a wrong Host before its token is looked at",
    () => "Host: page.example\r\nX-Api-Key: wrong\r\n",
  ),
  ofPage("a page's Origin", "Origin: https://page.example\r\n"),
  ofPage("an Origin of null", "Origin: null\r\n"),
  ofPage("a page of the proxy's own address", "Origin: http://127.0.0.1\r\n"),
  ofPage("a page's read of another site", "Sec-Fetch-Site: cross-site\r\n"),
  ofPage("a page's read of the same origin", "Sec-Fetch-Site: same-origin\r\n"),
  ofPage("what a user typed into a browser", "Sec-Fetch-Site: none\r\n"),
  ofPage("an Origin under another case", "oRIGIN: https://page.example\r\n"),
  ofPage("Sec_Fetch_Site", "Sec_Fetch_Site: none\r\n"),
  forbidden("a preflight", ({ host }) =>
    [
      `OPTIONS /v1 HTTP/1.1\r\nHost: ${host}\r\n`,
      "Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: authorization\r\n\r\n",
    ].join(""),
  ),
  ofPage("one field of a preflight", "Access-Control-Request-Private-Network: true\r\n"),
  forbidden("a page's form, which needs no preflight", ({ host }) =>
    [
      `POST /v1 HTTP/1.1\r\nHost: ${host}\r\nOrigin: https://page.example\r\n`,
      "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi",
    ].join(""),
  ),
  forbidden("a page's WebSocket", (signing) =>
    signing.request("GET", "/v1", `${HANDSHAKE}Origin: https://page.example\r\n`),
  ),
  noToken("no token", ""),
  noToken("no token on a WebSocket", HANDSHAKE),
  noToken("another token", "Authorization: Bearer another-token-0123456789\r\n"),
  noToken("the token with one more character", `Authorization: Bearer ${TOKEN}x\r\n`),
  noToken("the token's beginning", `Authorization: Bearer ${TOKEN.slice(0, -1)}\r\n`),
  noToken("the token in another case", `Authorization: Bearer ${TOKEN.toUpperCase()}\r\n`),
  noToken("the token under another scheme", `Authorization: Basic ${TOKEN}\r\n`),
  noToken("the token without a scheme", `Authorization: ${TOKEN}\r\n`),
  noToken("an assertion of its own", "Authorization: AgentAssertion e30\r\n"),
  noToken("an empty x-api-key", "X-Api-Key:\r\n"),
  noToken("the token twice", BEARER + BEARER),
  noToken("the token and a wrong key", `${BEARER}X-Api-Key: wrong\r\n`),
  noToken("a wrong key and the token", `X-Api-Key: wrong\r\n${BEARER}`),
  noToken("the token and a wrong api-key", `${BEARER}api-key: wrong\r\n`),
  noToken("the token and a wrong x-goog-api-key", `${BEARER}x_goog_api_key: wrong\r\n`),
  noToken("the token and x_api_key", `${BEARER}x_api_key: wrong\r\n`),
  noToken("the token in a cookie", `Cookie: token=${TOKEN}\r\n`),
  badTarget("the absolute form", "http://127.0.0.1/v1"),
  badTarget("two slashes at the start", "//upstream.example/v1"),
  badTarget("a parent segment", "/v1/../admin"),
  badTarget("an encoded parent segment", "/v1/%2e%2E/admin"),
  badTarget("an encoded parent segment behind an encoded slash", "/v1%2f%2e%2e%2fadmin"),
  badTarget("a backslash", "/v1\\..\\admin"),
  invalid("OPTIONS of the asterisk form", (signing) => signing.request("OPTIONS", "*")),
  invalid("TRACE", (signing) => signing.request("TRACE", "/v1")),
  invalid("CONNECT", (signing) => signing.request("CONNECT", "upstream.example:443")),
  badHead(
    "Content-Length with Transfer-Encoding",
    "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
    "0\r\n\r\n",
  ),
  badHead("two Content-Length lines", "Content-Length: 3\r\nContent-Length: 3\r\n", "abc"),
  badHead("Content_Length", "Content_Length: 3\r\n", "", "GET"),
  badHead("another transfer coding", "Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"),
  badHead("a thread without a name", "X-Thread-Id:\r\n", "", "GET"),
  badHead("a thread with a space", "X-Thread-Id: a b\r\n", "", "GET"),
  badHead("a thread that is not ASCII", "X-Thread-Id: \u00c3\u00a9\r\n", "", "GET"),
  badHead("a thread of 257 characters", `X-Thread-Id: ${"x".repeat(257)}\r\n`, "", "GET"),
  badHead("two threads", "X-Thread-Id: a\r\nX-Thread-Id: b\r\n", "", "GET"),
  badHead("two threads by two spellings", "X-Thread-Id: a\r\nx_thread_id: b\r\n", "", "GET"),
  badHead("Codex's session with a space", "session_id: a b\r\n", "", "GET"),
  invalid("what is no HTTP", () => "\u0016\u0003\u0001\u0000hello\r\n\r\n"),
];

describe("the signing proxy refuses, and neither its source nor the upstream receives anything of, (G-P1)", () => {
  for (const { rule, bytes, status, code } of CASES) {
    test(rule, async () => {
      const upstream = await startRawUpstream();
      const signing = await startSigningProxy({ upstream: upstream.url });
      const answer = await sendRaw(signing.url, bytes(signing));
      await signing.proxy.close({ drainMs: 1_000 });

      expect(answer.status).toBe(status);
      expect(answer.head).toMatch(/^content-type: application\/problem\+json\r$/im);
      expect(JSON.parse(answer.body)).toMatchObject({ status, code });
      expect(answer.head).not.toMatch(/^access-control-/im);
      expect(answer.head + answer.body).not.toContain(TOKEN);
      if (status === 401) {
        expect(answer.head).toContain('www-authenticate: AgentAssertion error="unauthenticated"');
      }
      expect(signing.audit).toMatchObject([{ status, code }]);
      expect(signing.threads).toEqual([]);
      expect(signing.source.calls).toEqual([]);
      expect(upstream.connections).toHaveLength(0);
    });
  }
});

describe("an open proxy", () => {
  test("asks for no token, and lets none pass", async () => {
    const upstream = await startRawUpstream();
    const signing = await startSigningProxy({ upstream: upstream.url, clientToken: "open" });
    const lines = "Authorization: Bearer own-secret\r\nX-Api-Key: own-secret\r\n";
    const text = `GET /v1 HTTP/1.1\r\nHost: ${signing.host}\r\n${lines}\r\n`;
    expect(await sendRaw(signing.url, text)).toMatchObject({ status: 200 });
    const { bytes } = await upstream.connection(0);
    expect(bytes.text).not.toContain("own-secret");
    expect(bytes.text.match(/^authorization: AgentAssertion /gim)).toHaveLength(1);
  });

  test("still turns pages and wrong targets away (G-P1)", async () => {
    const upstream = await startRawUpstream();
    const signing = await startSigningProxy({ upstream: upstream.url, clientToken: "open" });
    const origin = "Origin: https://page.example\r\n";
    const page = await sendRaw(signing.url, signing.request("GET", "/v1", origin));
    const rebound = `GET /v1 HTTP/1.1\r\nHost: page.example\r\n\r\n`;
    expect(page.status).toBe(403);
    expect(await sendRaw(signing.url, rebound)).toMatchObject({ status: 403 });
    expect(await sendRaw(signing.url, signing.request("GET", "/v1/../x"))).toMatchObject({
      status: 400,
    });
    expect(signing.source.calls).toEqual([]);
    expect(upstream.connections).toHaveLength(0);
  });
});

test("the proxy of a name is reached by that name and by its address", async () => {
  const upstream = await startRawUpstream(OK_ONCE);
  const listen = { host: "localhost", port: 0 };
  const signing = await startSigningProxy({ upstream: upstream.url, listen });
  expect(signing.host).toMatch(/^localhost:\d+$/);
  expect(await sendRaw(signing.url, signing.request("GET", "/1"))).toMatchObject({ status: 200 });
  const upper = signing.request("GET", "/2").replace("Host: localhost", "Host: LOCALHOST");
  expect(await sendRaw(signing.url, upper)).toMatchObject({ status: 200 });
  const other = signing.request("GET", "/3").replace("Host: localhost", "Host: localhost.example");
  expect(await sendRaw(signing.url, other)).toMatchObject({ status: 403 });
  expect(upstream.connections).toHaveLength(2);
});

describe("a Host that is not the proxy's own", () => {
  const hostLine = (text: string, host: string) => text.replace(/Host: .*/, `Host: ${host}`);

  test("is served if it was allowed, and named with the switch for it if not", async () => {
    const upstream = await startRawUpstream(OK_ONCE);
    const signing = await startSigningProxy({
      upstream: upstream.url,
      allowedHosts: ["agent-proxy:80", "localhost"],
    });
    const request = signing.request("GET", "/v1");
    const { port } = new URL(signing.url);
    for (const host of ["agent-proxy", "agent-proxy:80", `localhost:${port}`]) {
      expect(await sendRaw(signing.url, hostLine(request, host))).toMatchObject({ status: 200 });
    }
    const { status, body } = await sendRaw(signing.url, hostLine(request, "other:8080"));
    expect(status).toBe(403);
    expect(JSON.parse(body).detail).toBe(
      "the Host other:8080 is not an address that this proxy listens on: use the base URL that it printed, or start the proxy with --allow-host other:8080",
    );
  });

  test.each(["proxy", "[fd00::7]", "Proxy:8080"])(
    "is served once %s was allowed as the refusal says",
    async (host) => {
      const upstream = await startRawUpstream(OK_ONCE);
      const first = await startSigningProxy({ upstream: upstream.url });
      const refused = await sendRaw(first.url, hostLine(first.request("GET", "/v1"), host));
      expect(refused.status).toBe(403);
      const [, allowed = ""] = /--allow-host (\S+)$/.exec(JSON.parse(refused.body).detail) ?? [];
      const second = await startSigningProxy({ upstream: upstream.url, allowedHosts: [allowed] });
      const served = await sendRaw(second.url, hostLine(second.request("GET", "/v1"), host));
      expect(served.status).toBe(200);
    },
  );

  test.each([
    ["the client token", TOKEN],
    ["something else than a host", "<b>x</b>"],
  ])("is not shown if it is %s", async (_, host) => {
    const signing = await startSigningProxy({ upstream: "http://127.0.0.1:1" });
    const { status, body } = await sendRaw(
      signing.url,
      hostLine(signing.request("GET", "/v1"), host),
    );
    expect(status).toBe(403);
    expect(body).toContain("--allow-host HOST:PORT");
    expect(body).not.toContain(host);
  });

  test("opens the proxy neither to pages nor to clients without a token", async () => {
    const upstream = await startRawUpstream();
    const signing = await startSigningProxy({ upstream: upstream.url, allowedHosts: ["proxy:1"] });
    const page = signing.request("GET", "/v1", "Origin: http://proxy:1\r\n");
    expect(await sendRaw(signing.url, hostLine(page, "proxy:1"))).toMatchObject({ status: 403 });
    const bare = "GET /v1 HTTP/1.1\r\nHost: proxy:1\r\n\r\n";
    expect(await sendRaw(signing.url, bare)).toMatchObject({ status: 401 });
    expect(upstream.connections).toHaveLength(0);
  });
});
