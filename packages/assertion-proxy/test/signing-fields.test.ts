import { describe, expect, test } from "vitest";
import { connectRaw, sendRaw } from "./raw-client.js";
import { startRawUpstream } from "./raw-upstream.js";
import { startSigningProxy } from "./start-signing-proxy.js";

describe("what the upstream gets of the signing proxy", () => {
  test.each([
    "X-Agent-Runtime-Id: evil",
    "x_agent_id: evil",
    "X_Agent-Task_Id: evil",
    "x-agent-anything: evil",
    "Cookie: evil=1",
    "Forwarded: for=evil",
    "X-Forwarded-For: evil",
    "X_Real_IP: evil",
    "X-HTTP-Method-Override: evil",
    "Proxy-Authorization: evil",
    "Connection: X-Named\r\nX-Named: evil",
    "Keep-Alive: evil=1",
    "TE: evil",
    "x_auth_token: evil",
    "Ocp-Apim-Subscription-Key: evil",
    "CF-Connecting-IP: evil",
    "X-Cluster-Client-IP: evil",
    "X-Auth-Request-User: evil",
    "Proxy: evil",
  ])("has no line of the client's %j (G-P4)", async (lines) => {
    const upstream = await startRawUpstream();
    const signing = await startSigningProxy({ upstream: upstream.url });
    const request = signing.request("GET", "/v1", `${lines}\r\nX-Own: 1\r\n`);
    expect(await sendRaw(signing.url, request)).toMatchObject({ status: 200 });
    const { bytes } = await upstream.connection(0);
    expect(bytes.text).toContain("\r\nX-Own: 1\r\n");
    expect(bytes.text).not.toContain("evil");
  });

  test("has the tenant that a client of the agent's own user chose", async () => {
    const upstream = await startRawUpstream();
    const signing = await startSigningProxy({ upstream: upstream.url });
    const lines = "OpenAI-Organization: org-1\r\nOpenAI-Project: proj-1\r\n";
    await sendRaw(signing.url, signing.request("GET", "/v1", lines));
    expect((await upstream.connection(0)).bytes.text).toContain(`\r\n${lines}`);
  });

  test("has the fields that were named", async () => {
    const upstream = await startRawUpstream();
    const forwardHeaders = ["api-key", "X-Real-IP", "session_id", "Signature"];
    const signing = await startSigningProxy({ upstream: upstream.url, forwardHeaders });
    const lines = "Api-Key: 1\r\nX-Real-IP: 2\r\n";
    await sendRaw(
      signing.url,
      signing.request("GET", "/v1", `${lines}X-Litellm-Api-Key: evil\r\n`),
    );
    const { bytes } = await upstream.connection(0);
    expect(bytes.text).toContain(`\r\n${lines}`);
    expect(bytes.text).not.toContain("evil");
  });

  test("has cookies where that was asked for", async () => {
    const upstream = await startRawUpstream();
    const signing = await startSigningProxy({ upstream: upstream.url, forwardCookies: true });
    await sendRaw(signing.url, signing.request("GET", "/v1", "Cookie: a=1\r\n"));
    expect((await upstream.connection(0)).bytes.text).toContain("\r\nCookie: a=1\r\n");
  });

  test("has no trailer that may not be set, nor the token in one (G-P4)", async () => {
    const upstream = await startRawUpstream("");
    const signing = await startSigningProxy({ upstream: upstream.url });
    const client = await connectRaw(signing.url);
    client.send(signing.request("POST", "/v1", "Transfer-Encoding: chunked\r\n"));
    client.send(
      "3\r\nabc\r\n0\r\nX-Sum: 9\r\nX-Api-Key: evil\r\nx_agent_id: evil\r\nAuthorization: evil\r\nX-Thread-Id: evil\r\nCookie: evil\r\n\r\n",
    );
    const { bytes } = await upstream.connection(0);
    expect(await bytes.until("X-Sum: 9\r\n\r\n")).not.toContain("evil");
  });

  test("has its path byte for byte behind the base path", async () => {
    const upstream = await startRawUpstream();
    const signing = await startSigningProxy({ upstream: `${upstream.url}/base/` });
    await sendRaw(signing.url, signing.request("GET", "/v1//a%20b%2Fc?x=%zz&y=../"));
    expect((await upstream.connection(0)).bytes.text).toMatch(
      /^GET \/base\/v1\/\/a%20b%2Fc\?x=%zz&y=\.\.\/ HTTP\/1\.1\r\n/,
    );
  });
});

describe("what the client gets of the upstream", () => {
  test("has no CORS field, in its head or its trailers (G-P1)", async () => {
    const upstream = await startRawUpstream(
      "HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: *\r\naccess_control_allow_headers: *\r\nX-Own: 1\r\nTrailer: X-Sum, Access-Control-Max-Age\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nAccess-Control-Max-Age: 9\r\nX-Sum: 1\r\n\r\n",
    );
    const signing = await startSigningProxy({ upstream: upstream.url });
    const client = await connectRaw(signing.url);
    client.send(signing.request("GET", "/v1"));
    const answer = await client.bytes.until("X-Sum: 1\r\n\r\n");
    expect(answer).toMatch(/X-Own: 1\r\nx-request-id: [\da-f-]{36}\r\ntrailer: x-sum\r\n/);
    expect(answer).not.toMatch(/access.control/i);
  });

  test.each(["200 OK", "401 Unauthorized", "403 Forbidden"])(
    "has no AgentAssertion challenge with %s: a local program has no agent to replace (G-G6)",
    async (line) => {
      const upstream = await startRawUpstream(
        `HTTP/1.1 ${line}\r\nWWW-Authenticate: Bearer\r\nWWW-Authenticate: AgentAssertion error="unknown_task"\r\nContent-Length: 0\r\n\r\n`,
      );
      const signing = await startSigningProxy({ upstream: upstream.url });
      const { head } = await sendRaw(signing.url, signing.request("GET", "/v1"));
      expect(head).toMatch(new RegExp(`^HTTP/1.1 ${line}\r\n`));
      expect(head).toContain("WWW-Authenticate: Bearer\r\n");
      expect(head).not.toContain("AgentAssertion");
    },
  );

  test("is a redirect as it came, never followed", async () => {
    const location = "https://elsewhere.example/";
    const upstream = await startRawUpstream(
      `HTTP/1.1 307 Elsewhere\r\nLocation: ${location}\r\nContent-Length: 0\r\n\r\n`,
    );
    const signing = await startSigningProxy({ upstream: upstream.url });
    const answer = await sendRaw(signing.url, signing.request("GET", "/v1"));
    expect(answer.status).toBe(307);
    expect(answer.head).toContain(`Location: ${location}\r\n`);
    expect(upstream.connections).toHaveLength(1);
  });
});
