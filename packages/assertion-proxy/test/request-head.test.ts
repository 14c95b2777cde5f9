import { describe, expect, test } from "vitest";
import { ADDED, comparableHead } from "./forwarded-head.js";
import { connectRaw, readAnswer, sendRaw } from "./raw-client.js";
import { OK, startRawUpstream } from "./raw-upstream.js";
import { startGateway, type TestGatewayOptions } from "./start-gateway.js";

/** Sends one request and returns the bytes that the upstream saw. */
async function forwarded(
  method: string,
  target: string,
  lines = "",
  options: Partial<TestGatewayOptions> = {},
): Promise<string> {
  const upstream = await startRawUpstream();
  const gateway = await startGateway({
    ...options,
    upstream: upstream.url + (options.upstream ?? ""),
  });
  const client = await connectRaw(gateway.url);
  client.send(gateway.request(method, target, lines));
  const { bytes } = await upstream.connection(0);
  const seen = await bytes.until("\r\n\r\n");
  expect(await readAnswer(client)).toMatchObject({ status: 200 });
  expect(upstream.connections).toHaveLength(1);
  return comparableHead(seen);
}

describe("what the upstream reads", () => {
  test("is a request built from nothing, with what was verified at its end", async () => {
    expect(await forwarded("GET", "/v1/models", "Accept: */*\r\nX-Custom:  two  words \r\n")).toBe(
      `GET /v1/models HTTP/1.1\r\nhost: UPSTREAM\r\nconnection: keep-alive\r\nAccept: */*\r\nX-Custom: two  words\r\n${ADDED}`,
    );
  });

  test("has the received path and query byte for byte behind the base path", async () => {
    const target = "/a//b/%2Ex/%41;p=1/..x/.../%zz?q=../%2e%2e//&r=a|b\"'{}";
    const seen = await forwarded("GET", target, "", { upstream: "/base/path/" });
    expect(seen.split("\r\n")[0]).toBe(`GET /base/path${target} HTTP/1.1`);
  });

  test.each([
    ["a slash that is encoded once", "/v1/x%2Fy%5cz"],
    ["a percent sign", "/v1/100%25/100%2541"],
    ["UTF-8, of two to four bytes", "/v1/%C3%A9/%e2%82%ac/%f0%9f%98%80"],
    ["bytes that are no UTF-8", "/v1/caf%e9/%c0x/%ff"],
    ["blanks and dots in a name", "/v1/a%20../..b/.%2ehidden/...%20/x%20y."],
    ["control characters and double escapes in the query", "/v1?q=%00%0A%252e%252e%c0%ae"],
  ])("has %s in its target as received", async (_, target) => {
    expect((await forwarded("GET", target)).split("\r\n")[0]).toBe(`GET ${target} HTTP/1.1`);
  });

  test("says that a POST without a body has none", async () => {
    const seen = await forwarded("POST", "/v1");
    expect(seen).toContain("connection: keep-alive\r\ncontent-length: 0\r\n");
    expect(seen).not.toMatch(/transfer-encoding/i);
  });

  test("keeps lines of one name apart and in order", async () => {
    const seen = await forwarded("GET", "/v1", "X-Many: 1\r\nAccept: a\r\nx-many: 2\r\n");
    expect(seen).toContain("X-Many: 1\r\nAccept: a\r\nx-many: 2\r\n");
  });

  test.each([
    "X-Agent-Runtime-Id: evil",
    "x_agent_task_id: evil",
    "X-AGENT_account-Id: evil",
    "X-Agent-Anything: evil",
    "Cookie: session=evil",
    "Forwarded: for=evil",
    "X-Forwarded-For: evil",
    "X-Forwarded-Host: evil",
    "x_forwarded_proto: evil",
    "X-Real-IP: evil",
    "x_real_ip: evil",
    "X-Client-IP: evil",
    "True_Client-IP: evil",
    "X-Original-URL: /evil",
    "x_original_url: /evil",
    "X-Rewrite-URL: /evil",
    "X-Original-Host: evil",
    "X-HTTP-Method-Override: evil",
    "X_HTTP_Method_Override: evil",
    "X-Method-Override: evil",
    "Keep-Alive: timeout=evil",
    "Proxy-Connection: evil",
    "Proxy-Authorization: evil",
    "Proxy_Authorization: evil",
    "TE: evil",
    "X-Api-Key: evil",
    "x_api_key: evil",
    "api-key: evil",
    "X-Goog-Api-Key: evil",
    "Ocp-Apim-Subscription-Key: evil",
    "cf-aig-authorization: evil",
    "X-Auth-Token: evil",
    "Private-Token: evil",
    "OpenAI-Organization: evil",
    "openai_project: evil",
    "X-Goog-User-Project: evil",
    "X-Scope-OrgID: evil",
    "CF-Connecting-IP: evil",
    "X-Cluster-Client-IP: evil",
    "True-Client-IP: evil",
    "X-Original-Forwarded-For: evil",
    "X-Envoy-External-Address: evil",
    "X-Azure-ClientIP: evil",
    "Cf-Access-Jwt-Assertion: evil",
    "X-Goog-IAP-JWT-Assertion: evil",
    "X-Amzn-Oidc-Data: evil",
    "X-MS-CLIENT-PRINCIPAL: evil",
    "X-Auth-Request-User: evil",
    "Remote-User: evil",
    "X-Remote-User: evil",
    "Proxy: http://evil",
    "Connection: x-named\r\nX-Named: evil",
    "Connection: close, X-Named\r\nConnection: other\r\nx_named: evil\r\nOther: evil",
    "HTTP2-Settings: evil",
  ])("has no line of the client's %j (G-G3, G-G4)", async (lines) => {
    const seen = await forwarded("GET", "/v1", `${lines}\r\nX-Kept: yes\r\n`, {
      upstreamHeaders: { "X-API-Key": "gateway-key" },
    });
    expect(seen).not.toContain("evil");
    expect(seen).not.toMatch(/^Authorization/im);
    expect(seen).not.toContain("AgentAssertion");
    expect(seen).toContain(`X-Kept: yes\r\nX-API-Key: gateway-key\r\n${ADDED}`);
  });

  test("has the fields by which clients name versions, retries and traces", async () => {
    const lines =
      "anthropic-version: 2023-06-01\r\nanthropic-beta: x\r\nOpenAI-Beta: x\r\nIdempotency-Key: 1\r\nX-CSRF-Token: 3\r\ntraceparent: 4\r\nOriginator: 5\r\nsession_id: 6\r\n";
    expect(await forwarded("GET", "/v1", lines)).toContain(`\r\n${lines}${ADDED}`);
  });

  test("has what the operator named, in any case, and no other spelling of it (G-G4)", async () => {
    const names = ["OpenAI-Organization", "X-Api-Key", "X-Forwarded-For", "CF-Access-Client-Id"];
    const lines = "openai-organization: 1\r\nX-API-KEY: 2\r\nX-Forwarded-For: 3\r\n";
    const others = "openai_organization: evil\r\nx_api_key: evil\r\nOpenAI-Project: evil\r\n";
    const seen = await forwarded("GET", "/v1", lines + others, { forwardHeaders: names });
    expect(seen).toContain(`\r\n${lines}${ADDED}`);
    expect(seen).not.toContain("evil");
  });

  test("has the gateway's own Authorization in place of the assertion", async () => {
    const seen = await forwarded("GET", "/v1", "", {
      upstreamHeaders: { Authorization: "Bearer gateway-key" },
    });
    expect(seen.match(/^authorization: .*$/gim)).toEqual(["Authorization: Bearer gateway-key"]);
  });

  test("has the cookies where the operator lets them pass", async () => {
    const seen = await forwarded("GET", "/v1", "Cookie: session=1\r\n", { forwardCookies: true });
    expect(seen).toContain("Cookie: session=1\r\n");
  });

  test("has a ChatGPT-Account-ID that equals the verified account", async () => {
    const seen = await forwarded("GET", "/v1", "ChatGPT-Account-ID: acct-1\r\n");
    expect(seen).toContain("ChatGPT-Account-ID: acct-1\r\n");
  });

  test("comes over one connection for one client after another", async () => {
    const upstream = await startRawUpstream();
    const gateway = await startGateway({ upstream: upstream.url });
    expect(await sendRaw(gateway.url, gateway.request("GET", "/1"))).toMatchObject({ status: 200 });
    const client = await connectRaw(gateway.url);
    client.send(gateway.request("GET", "/2"));
    const connection = await upstream.connection(0);
    await connection.bytes.until("\r\n\r\n", 2);
    connection.socket.write(OK);
    expect(await readAnswer(client)).toMatchObject({ status: 200 });
    expect(upstream.connections).toHaveLength(1);
  });

  test("is never a request on a connection on which the upstream spoke without being asked (G-G7)", async () => {
    const upstream = await startRawUpstream();
    const gateway = await startGateway({ upstream: upstream.url });
    await sendRaw(gateway.url, gateway.request("GET", "/1"));
    const poisoned = await upstream.connection(0);
    poisoned.socket.write("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\npoison");
    const answer = await sendRaw(gateway.url, gateway.request("GET", "/2"));
    expect(answer.body).toBe("ok");
    await poisoned.bytes.closed;
    expect(upstream.connections).toHaveLength(2);
  });
});
