import { createVerifier, memoryReplayStore } from "@countersign/agent-assertion";
import { describe, expect, test } from "vitest";
import { createCallerTokens } from "../src/caller-token/caller-tokens.js";
import { sendRaw } from "./raw-client.js";
import { startRawUpstream } from "./raw-upstream.js";
import { startAuthorizer, type TestAuthorizerOptions } from "./start-authorizer.js";
import { CADDY, startCaddy } from "./start-caddy.js";
import { NOW, PUBLIC_URL } from "./test-agent.js";

if (CADDY === undefined) {
  console.warn("skipped: tests with Caddy: it is not installed (Debian: apt-get install caddy)");
}

// Every character that a field name may have beside letters and digits (RFC 9110 §5.6.2).
const MARKS = [..."!#$%&'*+-.^_`|~"];

async function start(options: TestAuthorizerOptions = {}) {
  const upstream = await startRawUpstream();
  const authorizer = await startAuthorizer({ gateway: "caddy", ...options });
  const { socketPath } = await startCaddy({ authorizer: authorizer.url, upstream: upstream.url });
  return { ...authorizer, upstream, socketPath };
}

describe.skipIf(CADDY === undefined)("Caddy with forward_auth", () => {
  test("passes nothing on that is not signed, and the client gets the refusal (G-G1)", async () => {
    const { socketPath, upstream } = await start();
    const unsigned = "POST /v1 HTTP/1.1\r\nHost: gateway.example\r\nContent-Length: 2\r\n\r\nhi";
    const { status, head, body } = await sendRaw(socketPath, unsigned);
    expect(status).toBe(401);
    expect(head).toMatch(/^www-authenticate: AgentAssertion error="missing"\r$/im);
    expect(JSON.parse(body)).toMatchObject({ code: "missing" });
    expect(upstream.connections).toHaveLength(0);
  });

  test("gives the upstream the id of the agent, and keeps the assertion", async () => {
    const callerTokens = createCallerTokens({ audience: "api" });
    const { socketPath, upstream, request, audit } = await start({ callerTokens });
    const { status, body } = await sendRaw(
      socketPath,
      `${request("POST", "/v1/x?y=%2F", "Content-Length: 5\r\n")}hello`,
    );
    expect([status, body]).toEqual([200, "ok"]);
    const { bytes } = await upstream.connection(0);
    const text = await bytes.until("hello");
    expect(text).toMatch(/^POST \/v1\/x\?y=%2F /);
    expect((text.match(/^x-agent-.*$/gim) ?? []).map((line) => line.slice(0, 36)).sort()).toEqual([
      "X-Agent-Account-Id: acct-1",
      "X-Agent-Caller-Token: eyJhbGciOiJFZE",
      "X-Agent-Runtime-Id: agent_1",
      "X-Agent-Task-Id: task_1",
    ]);
    expect(text).not.toMatch(/authorization|agentassertion/i);
    expect(await audit.entry(0)).toMatchObject({ method: "POST", path: "/v1/x", status: 200 });
  });

  test("lets no client say who it is, in any spelling and once more (G-F3)", async () => {
    const { socketPath, upstream, request } = await start();
    for (const mark of MARKS) {
      for (const name of ["X-Agent-Account-Id", "X-Agent-Caller-Token", "X-Agent-Any"]) {
        const line = `${name.replaceAll("-", mark)}: evil\r\n`;
        const { status } = await sendRaw(socketPath, request("GET", "/v1", line + line));
        expect(status).toBe(/[-_]/.test(mark) ? 403 : 400);
      }
    }
    expect(upstream.connections).toHaveLength(0);
  });

  test("lets no client have the fields dropped that say who it is (G-F3)", async () => {
    const { socketPath, upstream, request } = await start();
    for (const names of ["X-Agent-Account-Id", "close, x-agent-runtime-id", "X-AGENT-TASK-ID"]) {
      const lines = `Connection: keep-alive\r\nConnection: ${names}\r\n`;
      const { status } = await sendRaw(socketPath, request("GET", "/v1", lines));
      expect(status).toBe(400);
    }
    expect(upstream.connections).toHaveLength(0);
  });

  test("takes method and target from Caddy, whatever the client writes (G-F1)", async () => {
    const { socketPath, request, audit } = await start();
    const exact = "X-Forwarded-Method: GET\r\nX-Forwarded-Uri: /evil\r\n";
    expect((await sendRaw(socketPath, request("PUT", "/v1", exact))).status).toBe(200);
    expect(await audit.entry(0)).toMatchObject({ method: "PUT", path: "/v1" });
    for (const name of ["X_Forwarded_Method", "X_Forwarded_Uri", "X.Forwarded.Uri"]) {
      const { status } = await sendRaw(socketPath, request("PUT", "/v1", `${name}: /evil\r\n`));
      expect(status).toBe(400);
    }
  });

  test("passes an outage of the directory on as 503 with Retry-After", async () => {
    const unreachable = async () => {
      throw new Error("the directory is down");
    };
    const directory = {
      authority: "https://authority.example",
      agent: unreachable,
      task: unreachable,
    };
    const verifier = createVerifier({ directory, now: () => NOW });
    const { socketPath, request } = await start({ verifier });
    const { status, head } = await sendRaw(socketPath, request("GET", "/v1"));
    expect(status).toBe(503);
    expect(head).toMatch(/^retry-after: 5\r$/im);
  });

  test("refuses a bound request, whose body may be another (G-F4)", async () => {
    const replayStore = memoryReplayStore({ now: () => NOW });
    const binding = { policy: "require", publicUrl: PUBLIC_URL, replayStore } as const;
    const scene = await start({ binding });
    const bound = scene.request("GET", "/v1", scene.binding("GET", "/v1"));
    const { status, body } = await sendRaw(scene.socketPath, bound);
    expect([status, JSON.parse(body).code]).toEqual([403, "forbidden"]);
    expect(scene.upstream.connections).toHaveLength(0);
  });
});
