import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { connectRaw, sendRaw } from "./raw-client.js";
import { startRawUpstream } from "./raw-upstream.js";
import { startGateway, type TestGateway } from "./start-gateway.js";

function idOf(head: string): string | undefined {
  return /^x-request-id: (\S+)\r$/im.exec(head)?.[1];
}

interface Case {
  readonly rule: string;
  readonly bytes: (gateway: TestGateway) => string;
  readonly status: number;
  readonly code: string;
  readonly path?: string;
}

const badTarget = (rule: string, target: string, path?: string): Case => ({
  rule,
  bytes: (gateway) => gateway.request("GET", target),
  status: 400,
  code: "invalid_request",
  ...(path === undefined ? {} : { path }),
});
const badHead = (rule: string, lines: string, body = "", method = "POST"): Case => ({
  rule,
  bytes: (gateway) => gateway.request(method, "/v1", lines) + body,
  status: 400,
  code: "invalid_request",
});
const badMethod = (method: string, target: string): Case => ({
  rule: `the method ${method}`,
  bytes: (gateway) => gateway.request(method, target),
  status: 400,
  code: "invalid_request",
});

const CASES: readonly Case[] = [
  badTarget("the absolute form", "http://upstream.example/v1", ""),
  badTarget("the absolute form with a password", "http://user-1:secret@upstream.example/", ""),
  badTarget("two slashes at the start", "//upstream.example/v1", "//upstream.example/v1"),
  badTarget("a backslash", "/v1\\..\\admin"),
  badTarget("a backslash in the query", "/v1?q=a\\b", "/v1"),
  badTarget("a parent segment", "/v1/../admin"),
  badTarget("a parent segment at the end", "/v1/.."),
  badTarget("a segment of one dot", "/./v1"),
  badTarget("an encoded parent segment", "/v1/%2e%2E/admin"),
  badTarget("a half encoded parent segment", "/v1/.%2e/admin"),
  badTarget("a parent segment behind an encoded slash (G-G5)", "/v1/x%2f..%2Fadmin"),
  badTarget("a parent segment behind an encoded backslash", "/v1/x%5c..%5cadmin"),
  badTarget("a parent segment with a parameter", "/v1/..;x=1/admin"),
  badTarget("a parent segment with an encoded parameter", "/v1/..%3Bx=1/admin"),
  badTarget("a parent segment that an encoded query ends", "/v1/..%3Fx/admin"),
  badTarget("a parent segment that an encoded fragment ends", "/v1/..%23/admin"),
  badTarget("a parent segment with a blank behind it", "/v1/..%20/admin"),
  badTarget("a parent segment with a blank before it", "/v1/%20../admin"),
  badTarget("a parent segment with a blank and dots behind it", "/v1/..%20.%20/admin"),
  badTarget("a parent segment with a blank and a parameter", "/v1/..%20;x=1/admin"),
  badTarget("a parent segment that is encoded twice (G-G5)", "/v1/%252e%252E/admin"),
  badTarget("a parent segment that is encoded three times", "/v1/%25252e%25252e/admin"),
  badTarget("a parent segment whose digits are encoded", "/v1/%2%65%2%45/admin"),
  badTarget("a parent segment of %u escapes", "/v1/%u002e%u002E/admin"),
  badTarget("a parent segment with a blank that is encoded twice", "/v1/..%2520/admin"),
  ...["/a/%252e%252e/b", "/a/..%00/b", "/a/%c0%ae%c0%ae/b", "/a/..%20/b"].map((target) =>
    badTarget(`the path ${target}`, target),
  ),
  badTarget("a dot that is encoded twice", "/v1/file%252etxt"),
  badTarget("a slash that is encoded twice", "/v1/x%252fadmin"),
  badTarget("a backslash that is encoded twice", "/v1/x%255Cadmin"),
  badTarget("an escape that is encoded very often", `/v1/%${"25".repeat(40)}41`),
  badTarget("an encoded NUL behind a parent segment (G-G5)", "/v1/..%00/admin"),
  badTarget("an encoded NUL", "/v1/x%00.json"),
  badTarget("an encoded line break", "/v1/x%0d%0aSet-Cookie:%20a=1"),
  badTarget("an encoded DEL", "/v1/x%7F"),
  badTarget("a control character that is encoded twice", "/v1/x%2500"),
  badTarget("overlong UTF-8 of two bytes for a dot (G-G5)", "/v1/%c0%ae%C0%AE/admin"),
  badTarget("overlong UTF-8 of two bytes for a slash", "/v1/x%c0%afadmin"),
  badTarget("overlong UTF-8 of two bytes for a backslash", "/v1/x%c1%9cadmin"),
  badTarget("overlong UTF-8 of three bytes", "/v1/%e0%80%ae%e0%80%ae/admin"),
  badTarget("overlong UTF-8 of four bytes", "/v1/%f0%80%80%ae%f0%80%81%9c/admin"),
  badTarget("overlong UTF-8 of five bytes", "/v1/%f8%80%80%80%af/admin"),
  badTarget("overlong UTF-8 of six bytes", "/v1/%fc%80%80%80%80%af/admin"),
  badTarget("overlong UTF-8 that is encoded twice", "/v1/%25c0%25ae/admin"),
  badTarget("a fragment", "/v1#top"),
  badTarget("a byte that is not ASCII", "/v1/\u00c3\u00a9"),
  badMethod("OPTIONS of the asterisk form", "*"),
  badMethod("TRACE", "/v1"),
  badMethod("CONNECT", "upstream.example:443"),
  badHead(
    "Content-Length with Transfer-Encoding (G-G5)",
    "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
    "0\r\n\r\n",
  ),
  badHead(
    "Content_Length with Transfer-Encoding",
    "Content_Length: 3\r\nTransfer-Encoding: chunked\r\n",
    "0\r\n\r\n",
  ),
  badHead("Content-Length under a name with an underscore", "Content_Length: 3\r\n", "", "GET"),
  badHead("two Content-Length lines", "Content-Length: 3\r\nContent-Length: 3\r\n", "abc"),
  badHead("a list as Content-Length", "Content-Length: 3, 3\r\n", "abc"),
  badHead("another transfer coding", "Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"),
  badHead("a WebSocket upgrade", "Connection: Upgrade\r\nUpgrade: websocket\r\n", "", "GET"),
  badHead("a WebSocket upgrade that Connection does not name", "Upgrade: websocket\r\n", "", "GET"),
  badHead("a second Host", "Host: other.example\r\n", "", "GET"),
  {
    rule: "a missing Host",
    bytes: ({ authorization }) => `GET /v1 HTTP/1.1\r\n${authorization}\r\n\r\n`,
    status: 400,
    code: "invalid_request",
  },
  {
    rule: "another expectation",
    bytes: (gateway) => gateway.request("POST", "/v1", "Expect: 200-ok\r\nContent-Length: 1\r\n"),
    status: 417,
    code: "invalid_request",
  },
  {
    rule: "what is no HTTP",
    bytes: () => "\u0016\u0003\u0001\u0000hello\r\n\r\n",
    status: 400,
    code: "invalid_request",
    path: "",
  },
  {
    rule: "a head that is too large",
    bytes: (gateway) => gateway.request("GET", "/v1", `X-Filler: ${"x".repeat(40_000)}\r\n`),
    status: 431,
    code: "invalid_request",
    path: "",
  },
  {
    rule: "a request without an assertion",
    bytes: () => "GET /v1?token=secret HTTP/1.1\r\nHost: gateway.example\r\n\r\n",
    status: 401,
    code: "missing",
    path: "/v1",
  },
  {
    rule: "a request with a token in its path",
    bytes: () => `GET /v1/cs%5Fhuman_${"A".repeat(43)}/x HTTP/1.1\r\nHost: gateway.example\r\n\r\n`,
    status: 401,
    code: "missing",
    path: "/v1/[hidden]/x",
  },
  {
    rule: "a request with a token where the path is cut",
    bytes: () =>
      `GET /${"x".repeat(2_026)}/cs_human_${"A".repeat(43)} HTTP/1.1\r\nHost: gateway.example\r\n\r\n`,
    status: 401,
    code: "missing",
    path: `/${"x".repeat(2_026)}/[hidden]`,
  },
  {
    rule: "another scheme",
    bytes: () => "GET /v1 HTTP/1.1\r\nHost: gateway.example\r\nAuthorization: Bearer x\r\n\r\n",
    status: 401,
    code: "missing",
  },
  {
    rule: "two Authorization lines (G-G2)",
    bytes: (gateway) => gateway.request("GET", "/v1", "Authorization: Bearer x\r\n"),
    status: 401,
    code: "malformed",
  },
  {
    rule: "the same Authorization line twice",
    bytes: (gateway) => gateway.request("GET", "/v1", `${gateway.authorization}\r\n`),
    status: 401,
    code: "malformed",
  },
  {
    rule: "an assertion that is cut off",
    bytes: ({ authorization }) =>
      `GET /v1 HTTP/1.1\r\nHost: gateway.example\r\n${authorization.slice(0, -9)}\r\n\r\n`,
    status: 401,
    code: "malformed",
  },
  {
    rule: "another account in ChatGPT-Account-ID (G-G10)",
    bytes: (gateway) => gateway.request("GET", "/v1", "ChatGPT-Account-ID: acct-2\r\n"),
    status: 403,
    code: "forbidden",
  },
  {
    rule: "another account in a second ChatGPT_Account_ID",
    bytes: (gateway) =>
      gateway.request("GET", "/v1", "ChatGPT-Account-ID: acct-1\r\nchatgpt_account_id: acct-2\r\n"),
    status: 403,
    code: "forbidden",
  },
];

describe("the gateway refuses, and the upstream receives nothing of, (G-G1)", () => {
  for (const { rule, bytes, status, code, path = undefined } of CASES) {
    test(rule, async () => {
      const upstream = await startRawUpstream();
      const gateway = await startGateway({ upstream: upstream.url });
      const answer = await sendRaw(gateway.url, bytes(gateway));
      const entry = await gateway.entry(0);
      await gateway.gateway.close({ drainMs: 1_000 });

      expect(answer.status).toBe(status);
      expect(answer.head).toMatch(/^content-type: application\/problem\+json\r$/im);
      expect(answer.head).toMatch(/^date: .* GMT\r$/im);
      expect(JSON.parse(answer.body)).toMatchObject({ status, code });
      if (status === 401) {
        expect(answer.head).toContain(`www-authenticate: AgentAssertion error="${code}"\r\n`);
      }
      expect(entry).toMatchObject({ status, code, time: "2026-03-23T12:00:00.000Z" });
      if (path !== undefined) expect(entry.path).toBe(path);
      expect(JSON.stringify(entry)).not.toContain("secret");
      expect(entry).toMatchObject({ request_id: idOf(answer.head), address: "127.0.0.1" });
      expect(entry.bytes_out).toBe(answer.body.length);
      expect(gateway.audit).toHaveLength(1);
      expect(upstream.connections).toHaveLength(0);
    });
  }
});

describe("the gateway refuses by what the directory says:", () => {
  test("a revoked task, naming the agent in the audit since its signature held (G-G16)", async () => {
    const upstream = await startRawUpstream();
    const gateway = await startGateway({ upstream: upstream.url });
    gateway.task.state = "revoked";
    const answer = await sendRaw(gateway.url, gateway.request("GET", "/v1"));
    expect(answer.status).toBe(401);
    expect(JSON.parse(answer.body)).toMatchObject({ code: "task_revoked" });
    expect(await gateway.entry(0)).toEqual({
      time: "2026-03-23T12:00:00.000Z",
      request_id: idOf(answer.head),
      address: "127.0.0.1",
      method: "GET",
      path: "/v1",
      status: 401,
      ms: 0,
      bytes_in: 0,
      bytes_out: answer.body.length,
      code: "task_revoked",
      agent_runtime_id: "agent_1",
      task_id: "task_1",
      user_id: "user-1",
      account_id: "acct-1",
    });
    expect(upstream.connections).toHaveLength(0);
  });

  test("a revoked agent", async () => {
    const upstream = await startRawUpstream();
    const gateway = await startGateway({ upstream: upstream.url });
    gateway.agent.state = "revoked";
    const answer = await sendRaw(gateway.url, gateway.request("GET", "/v1"));
    expect(JSON.parse(answer.body)).toMatchObject({ status: 401, code: "agent_revoked" });
    expect(upstream.connections).toHaveLength(0);
  });

  test("an account that is not served (G-G10)", async () => {
    const upstream = await startRawUpstream();
    const gateway = await startGateway({ upstream: upstream.url, accounts: ["acct-2"] });
    const answer = await sendRaw(gateway.url, gateway.request("GET", "/v1"));
    expect(JSON.parse(answer.body)).toMatchObject({ status: 403, code: "forbidden" });
    expect(await gateway.entry(0)).toMatchObject({ code: "forbidden", account_id: "acct-1" });
    expect(upstream.connections).toHaveLength(0);
  });

  test("but serves every account where told so", async () => {
    const upstream = await startRawUpstream();
    const gateway = await startGateway({ upstream: upstream.url, accounts: "any" });
    expect(await sendRaw(gateway.url, gateway.request("GET", "/v1"))).toMatchObject({
      status: 200,
      body: "ok",
    });
  });

  test("a directory that cannot tell, without its words", async () => {
    const upstream = await startRawUpstream();
    const gateway = await startGateway({
      upstream: upstream.url,
      verifier: {
        authority: "https://authority.example",
        binding: undefined,
        verify: () => Promise.reject(new Error("token=secret was refused")),
        recheck: () => Promise.resolve(),
      },
    });
    const answer = await sendRaw(gateway.url, gateway.request("GET", "/v1"));
    expect(JSON.parse(answer.body)).toMatchObject({ status: 503, code: "server_error" });
    expect(answer.head).toMatch(/^retry-after: \d+\r$/im);
    expect(answer.body).not.toContain("secret");
    expect(upstream.connections).toHaveLength(0);
  });

  test("a directory that never answers", async () => {
    const upstream = await startRawUpstream();
    const gateway = await startGateway({
      upstream: upstream.url,
      limits: { admitMs: 20 },
      verifier: {
        authority: "https://authority.example",
        binding: undefined,
        verify: () => new Promise(() => {}),
        recheck: () => Promise.resolve(),
      },
    });
    const answer = await sendRaw(gateway.url, gateway.request("GET", "/v1"));
    expect(JSON.parse(answer.body)).toMatchObject({ status: 503, code: "server_error" });
    expect(upstream.connections).toHaveLength(0);
  });
});

test("a refusal that cannot be written ends its connection and nothing else, and is counted", async () => {
  const upstream = await startRawUpstream();
  const gateway = await startGateway({ upstream: upstream.url });
  const server = createServer((request, response) => {
    response.writeHead = () => {
      throw new Error("not now");
    };
    gateway.gateway.handler(request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const warned = once(process, "warning");
  const { port } = server.address() as AddressInfo;
  const client = await connectRaw(`http://127.0.0.1:${port}`);
  client.send("GET /v1 HTTP/1.1\r\nHost: gateway.example\r\n\r\n");
  await client.bytes.closed;
  expect(client.bytes.text).toBe("");
  expect(String(await warned)).toContain("not now");
  expect(await gateway.entry(0)).toMatchObject({ path: "/v1", status: 499, code: "server_error" });
  const next = await sendRaw(gateway.url, gateway.request("GET", "/v1"));
  expect(next).toMatchObject({ status: 200, body: "ok" });
});
