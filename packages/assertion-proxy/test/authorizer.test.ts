import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BindingOptions, memoryReplayStore } from "@countersign/agent-assertion";
import { describe, expect, onTestFinished, test } from "vitest";
import { type AuthorizerOptions, createAuthorizer } from "../src/authorize/authorizer.js";
import { AssertionProxyError } from "../src/refusal/assertion-proxy-error.js";
import { sendRaw } from "./raw-client.js";
import { startAuthorizer } from "./start-authorizer.js";
import { createTestAgent, NOW, PUBLIC_URL } from "./test-agent.js";

const TOKEN = "0123456789abcdef-token";
const PAIRS = [
  ["nginx", "X-Original-Method", "X-Original-URI"],
  ["caddy", "X-Forwarded-Method", "X-Forwarded-Uri"],
  ["traefik", "X-Forwarded-Method", "X-Forwarded-Uri"],
  ["agentgateway", "X-Original-Method", "X-Original-URI"],
] as const;
const NGINX_PAIR = "X-Original-Method: GET\r\nX-Original-URI: /v1\r\n";

function required(): BindingOptions {
  const replayStore = memoryReplayStore({ now: () => NOW });
  return { policy: "require", publicUrl: PUBLIC_URL, replayStore };
}

function codeOf(body: string): unknown {
  return JSON.parse(body).code;
}

describe("an authorizer", () => {
  const { verifier } = createTestAgent();

  test.each([
    ["no kind of gateway", { gateway: undefined }],
    ["an unknown kind of gateway", { gateway: "apache" }],
    ["the name of an object's member as kind", { gateway: "constructor" }],
    ["no account", { accounts: [] }],
    ["a short token", { gatewayToken: "secret" }],
    ["a token with a space", { gatewayToken: "secret secret secret" }],
    ["a text for a flag", { handsOverBodies: "no" }],
    ["a proxy that is no address", { trustedProxies: ["proxy.example"] }],
  ])("is not made with %s (G-M1)", (_, wrong) => {
    const options = { verifier, accounts: "any", gateway: "nginx", ...wrong };
    let error: unknown;
    try {
      createAuthorizer(options as AuthorizerOptions);
    } catch (thrown) {
      error = thrown;
    }
    expect(AssertionProxyError.is(error) && error.code).toBe("config_invalid");
    expect(String(error)).not.toContain("secret");
  });

  test("does not listen where others can reach it without a token (G-F2)", async () => {
    const options = { verifier, accounts: "any", gateway: "nginx" } as const;
    const open = createAuthorizer(options);
    await expect(open.listen({ host: "0.0.0.0", port: 0 })).rejects.toMatchObject({
      code: "config_invalid",
    });
    const guarded = createAuthorizer({ ...options, gatewayToken: TOKEN });
    onTestFinished(() => guarded.close());
    await guarded.listen({ host: "0.0.0.0", port: 0 });
    expect(guarded.isReady()).toBe(true);
  });

  test.each([
    ["none", ""],
    ["another one", "X-Gateway-Token: 0123456789abcdef-other\r\n"],
    ["a part of it", `X-Gateway-Token: ${TOKEN.slice(0, -1)}\r\n`],
    ["it in another spelling", `X_Gateway_Token: ${TOKEN}\r\n`],
    ["it twice", `X-Gateway-Token: ${TOKEN}\r\nX-Gateway-Token: ${TOKEN}\r\n`],
  ])("with a token answers nothing to a caller that presents %s (G-F2)", async (_, line) => {
    const { url, request, audit } = await startAuthorizer({ gatewayToken: TOKEN });
    const { status, body } = await sendRaw(url, request("GET", "/", NGINX_PAIR + line));
    expect(status).toBeGreaterThanOrEqual(400);
    expect(body).not.toContain("agent_1");
    expect(Object.keys(await audit.entry(0))).not.toContain("agent_runtime_id");
  });

  test("with a token answers the gateway that presents it, and shows it nowhere", async () => {
    const { url, request, audit } = await startAuthorizer({ gatewayToken: TOKEN });
    const line = `X-Gateway-Token: ${TOKEN}\r\n`;
    const { status, head } = await sendRaw(url, request("GET", "/", NGINX_PAIR + line));
    expect(status).toBe(200);
    expect(head + JSON.stringify(await audit.entry(0))).not.toContain(TOKEN);
  });

  test("answers on a Unix socket of its own", async () => {
    const folder = mkdtempSync(join(tmpdir(), "countersign-authorizer-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const agent = createTestAgent();
    const authorizer = createAuthorizer({ ...agent, accounts: "any", gateway: "nginx" });
    onTestFinished(() => authorizer.close());
    const socketPath = join(folder, "authorize.sock");
    expect(await authorizer.listen({ socketPath })).toEqual({ url: `unix:${socketPath}` });
    const { status } = await sendRaw(socketPath, agent.request("GET", "/", NGINX_PAIR));
    expect(status).toBe(200);
  });

  describe.each(PAIRS)("for %s", (gateway, method, target) => {
    const pair = `${method}: PATCH\r\n${target}: /v1/x?y\r\n`;

    test.each([
      ["without the method", `${target}: /v1\r\n`],
      ["without the target", `${method}: GET\r\n`],
      ["with two methods", `${method}: GET\r\n${pair}`],
      ["with two targets", `${target}: /v1/x?y\r\n${pair}`],
      [
        "with a second target in another spelling",
        `${target.replaceAll("-", "_")}: /v2\r\n${pair}`,
      ],
      ["with another spelling alone", pair.replaceAll("-", "_")],
      ["with dots in a name", `${target.replaceAll("-", ".")}: /v2\r\n${pair}`],
      ["with a method that is not one", `${method}: get it\r\n${target}: /v1\r\n`],
      ["with another host's target", `${method}: GET\r\n${target}: http://evil.example/v1\r\n`],
      ["with a hidden path", `${method}: GET\r\n${target}: /v1/%2e%2e/x\r\n`],
      ["with CONNECT", `${method}: CONNECT\r\n${target}: /v1\r\n`],
    ])("refuses a question %s (G-F1)", async (_, lines) => {
      const { url, request, audit } = await startAuthorizer({ gateway });
      const { status, body } = await sendRaw(url, request("GET", "/", lines));
      expect([status, codeOf(body)]).toEqual([400, "invalid_request"]);
      expect(await audit.entry(0)).toMatchObject({ status: 400, code: "invalid_request" });
    });

    test("answers with the verified agent alone, and audits the request in question", async () => {
      const { url, request, audit } = await startAuthorizer({ gateway });
      const { status, head, body } = await sendRaw(
        url,
        request("GET", "/asked", `${pair}X-Own: own\r\n`),
      );
      expect([status, body]).toEqual([200, ""]);
      expect(head.toLowerCase().match(/^x-.*$/gm)).toEqual([
        "x-agent-runtime-id: agent_1",
        "x-agent-task-id: task_1",
        "x-agent-account-id: acct-1",
        expect.stringMatching(/^x-request-id: [\da-f-]{36}$/),
      ]);
      expect(head).toMatch(/^cache-control: no-store\r$/im);
      expect(await audit.entry(0)).toMatchObject({ method: "PATCH", path: "/v1/x", status: 200 });
    });

    test.each([..."-_.~"])("refuses x-agent fields of the client with %s (G-F3)", async (mark) => {
      const { url, request } = await startAuthorizer({ gateway });
      for (const name of ["x-agent-runtime-id", "X-Agent-Any"]) {
        const line = `${name.replaceAll("-", mark)}: agent_1\r\n`;
        const { status, body } = await sendRaw(url, request("GET", "/", pair + line));
        expect([status, codeOf(body)]).toEqual(
          /[-_]/.test(mark) ? [403, "forbidden"] : [400, "invalid_request"],
        );
      }
    });

    test("answers about a request that opens a WebSocket", async () => {
      const { url, request } = await startAuthorizer({ gateway });
      const lines = `${pair.replace("PATCH", "GET")}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n`;
      expect((await sendRaw(url, request("GET", "/", lines))).status).toBe(200);
    });

    test("refuses a bound request as long as a body may be missing (G-F4)", async () => {
      const { url, request, binding } = await startAuthorizer({ gateway, binding: required() });
      const bound = pair + binding("PATCH", "/v1/x?y");
      const { status, body } = await sendRaw(url, request("GET", "/", bound));
      expect([status, codeOf(body)]).toEqual([403, "forbidden"]);
    });

    test("checks the body that is handed over (G-F4)", async () => {
      const { url, request, binding } = await startAuthorizer({
        gateway,
        handsOverBodies: true,
        binding: required(),
      });
      const bound = (body: string | undefined) =>
        request("POST", "/", `${pair}${binding("PATCH", "/v1/x?y", body)}Content-Length: 5\r\n`);
      expect((await sendRaw(url, `${bound("hello")}hellO`)).status).toBe(401);
      expect((await sendRaw(url, `${bound(undefined)}hello`)).status).toBe(401);
      expect((await sendRaw(url, `${bound("hello")}hello`)).status).toBe(200);
    });
  });

  test("for envoy takes method and target of the question itself (G-F1)", async () => {
    const { url, request, audit } = await startAuthorizer({ gateway: "envoy" });
    expect((await sendRaw(url, request("DELETE", "/v1/x?y", NGINX_PAIR))).status).toBe(200);
    expect(await audit.entry(0)).toMatchObject({ method: "DELETE", path: "/v1/x" });
  });

  test.each([
    ["the gateway names", "X-Forwarded-For: 198.51.100.1, 203.0.113.9\r\n", "203.0.113.9"],
    [
      "a proxy before the gateway names",
      "X-Forwarded-For: 203.0.113.9, 10.1.2.3\r\n",
      "203.0.113.9",
    ],
    [
      "another spelling does not hide",
      "X-Forwarded-For: 203.0.113.9\r\nX_Forwarded_For: 1.1.1.1\r\n",
      "203.0.113.9",
    ],
    ["is not named: the gateway", "", "127.0.0.1"],
  ])("counts the client that %s (G-G15)", async (_, line, expected) => {
    const sources: unknown[] = [];
    const { verifier, request } = createTestAgent();
    const { url } = await startAuthorizer({
      trustedProxies: ["10.0.0.0/8"],
      verifier: {
        ...verifier,
        verify(header, options) {
          sources.push(options?.source);
          return verifier.verify(header, options);
        },
      },
    });
    expect((await sendRaw(url, request("GET", "/", NGINX_PAIR + line))).status).toBe(200);
    expect(sources).toEqual([expected]);
  });
});
