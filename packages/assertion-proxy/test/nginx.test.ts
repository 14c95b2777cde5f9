import {
  type BindingOptions,
  createVerifier,
  memoryReplayStore,
} from "@countersign/agent-assertion";
import { describe, expect, test } from "vitest";
import { createCallerTokens } from "../src/caller-token/caller-tokens.js";
import { connectRaw, readAnswer, sendRaw } from "./raw-client.js";
import { startRawUpstream } from "./raw-upstream.js";
import { startAuthorizer, type TestAuthorizerOptions } from "./start-authorizer.js";
import { NGINX, type NginxOptions, startNginx } from "./start-nginx.js";
import { NOW, PUBLIC_URL } from "./test-agent.js";

if (NGINX === undefined) {
  console.warn("skipped: tests with nginx: it is not installed (Debian: apt-get install nginx)");
}

// Every character that a field name may have beside letters and digits (RFC 9110 §5.6.2).
const MARKS = [..."!#$%&'*+-.^_`|~"];
// nginx drops names with unusual characters, unless it is told not to.
const LOOSE = "underscores_in_headers on;\nignore_invalid_headers off;";
const WITHOUT_STATUSES = { "error_page 500 = @countersign_refused;": "" };

async function start(options: TestAuthorizerOptions = {}, nginx: Partial<NginxOptions> = {}) {
  const upstream = await startRawUpstream();
  const authorizer = await startAuthorizer(options);
  const { socketPath } = await startNginx({
    authorizer: authorizer.url,
    upstream: upstream.url,
    ...nginx,
  });
  return { ...authorizer, upstream, socketPath };
}

function bindingBy(policy: "accept" | "require", more: Partial<BindingOptions> = {}) {
  const replayStore = memoryReplayStore({ now: () => NOW });
  return { binding: { policy, publicUrl: PUBLIC_URL, replayStore, ...more } };
}

describe.skipIf(NGINX === undefined)("nginx with auth_request", () => {
  test("passes nothing on that is not signed, and the client gets the challenge (G-G1)", async () => {
    const { socketPath, upstream, audit } = await start();
    const unsigned = "POST /v1 HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi";
    const { status, head } = await sendRaw(socketPath, unsigned);
    expect(status).toBe(401);
    expect(head).toMatch(/^www-authenticate: AgentAssertion error="missing"\r$/im);
    expect(await audit.entry(0)).toMatchObject({ method: "POST", path: "/v1", code: "missing" });
    expect(upstream.connections).toHaveLength(0);
  });

  test("passes nothing on of an agent whose task was revoked", async () => {
    const { socketPath, upstream, request, task } = await start();
    task.state = "revoked";
    const { status, head } = await sendRaw(socketPath, request("GET", "/v1"));
    expect(status).toBe(401);
    expect(head).toContain('AgentAssertion error="task_revoked"');
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
    expect(text).toContain("X-Agent-Runtime-Id: agent_1\r\n");
    expect(text).toContain("X-Agent-Task-Id: task_1\r\n");
    expect(text).toContain("X-Agent-Account-Id: acct-1\r\n");
    expect(text).toMatch(/^X-Agent-Caller-Token: eyJ[\w.-]+\r$/m);
    expect(text).not.toMatch(/authorization|x-original|agentassertion/i);
    expect(await audit.entry(0)).toMatchObject({
      method: "POST",
      path: "/v1/x",
      status: 200,
      agent_runtime_id: "agent_1",
    });
  });

  test.each(["", LOOSE])(
    "lets no client say who it is, in any spelling and once more, with %j (G-F3)",
    async (http) => {
      const { socketPath, upstream, request } = await start({}, { http });
      let passed = 0;
      for (const mark of MARKS) {
        for (const name of ["X-Agent-Account-Id", "X-Agent-Task-Id", "X-Agent-Any"]) {
          const line = `${name.replaceAll("-", mark)}: evil\r\n`;
          const { status } = await sendRaw(socketPath, request("GET", "/v1", line + line));
          if (status !== 200) continue;
          const { bytes } = await upstream.connection(passed);
          passed += 1;
          const lines = bytes.text.match(/^x.agent.*$/gim) ?? [];
          expect(lines.sort()).toEqual([
            "X-Agent-Account-Id: acct-1",
            "X-Agent-Runtime-Id: agent_1",
            "X-Agent-Task-Id: task_1",
          ]);
        }
      }
      // What nginx drops does no harm, and what it lets pass is refused.
      expect(passed > 0).toBe(http === "");
      expect(upstream.connections).toHaveLength(passed);
    },
  );

  test("takes method and target from nginx, whatever the client writes (G-F1)", async () => {
    const { socketPath, request, audit } = await start({}, { http: LOOSE });
    const exact = "X-Original-Method: GET\r\nX-Original-URI: /evil\r\n";
    expect((await sendRaw(socketPath, request("PUT", "/v1", exact))).status).toBe(200);
    expect(await audit.entry(0)).toMatchObject({ method: "PUT", path: "/v1" });
    for (const name of [
      "X_Original_Method",
      "X_Original_URI",
      "X.Original.URI",
      "X_Original_Framing",
    ]) {
      const { status } = await sendRaw(socketPath, request("PUT", "/v1", `${name}: /evil\r\n`));
      expect(status).toBe(400);
    }
  });

  test("refuses an ambiguous path with 400 (G-G5)", async () => {
    const { socketPath, upstream, request } = await start();
    const { status } = await sendRaw(socketPath, request("GET", "/v1/%2e%2e/secret"));
    expect(status).toBe(400);
    expect(upstream.connections).toHaveLength(0);
  });

  describe("answers what auth_request cannot pass on", () => {
    const authority = "https://authority.example";
    const unreachable = async () => {
      throw new Error("the directory is down");
    };
    const down = createVerifier({
      directory: { authority, agent: unreachable, task: unreachable },
      now: () => NOW,
    });

    test.each([
      ["with 503 and Retry-After by the recipe", {}, 503],
      ["with 500 without that part of it", WITHOUT_STATUSES, 500],
    ])("during an outage of the directory %s", async (_, changes, expected) => {
      const { socketPath, request, upstream } = await start({ verifier: down }, { changes });
      const { status, head } = await sendRaw(socketPath, request("GET", "/v1"));
      expect(status).toBe(expected);
      expect(/^retry-after: 5\r$/im.test(head)).toBe(expected === 503);
      expect(upstream.connections).toHaveLength(0);
    });

    test.each([
      ["with 429 and Retry-After by the recipe", {}, 429],
      ["with 500 without that part of it", WITHOUT_STATUSES, 500],
    ])("beyond an agent's share %s", async (_, changes, expected) => {
      let isHeld = () => {};
      let release = () => {};
      const held = new Promise<void>((resolve) => {
        isHeld = resolve;
      });
      const released = new Promise<boolean>((resolve) => {
        release = () => resolve(true);
      });
      const replayStore = {
        spend() {
          isHeld();
          return released;
        },
      };
      const options = {
        ...bindingBy("accept", { replayStore }),
        limits: { maxRequestsPerAgent: 1 },
      };
      const { socketPath, request, binding } = await start(options, { changes });
      const first = await connectRaw(socketPath);
      first.send(request("GET", "/v1", binding("GET", "/v1")));
      await held;
      const { status, head } = await sendRaw(socketPath, request("GET", "/v1"));
      expect(status).toBe(expected);
      expect(/^retry-after: 5\r$/im.test(head)).toBe(expected === 429);
      release();
      expect((await readAnswer(first)).status).toBe(200);
    });
  });

  describe("where bound requests are a must (G-F4)", () => {
    test("passes one without a body on, once", async () => {
      const { socketPath, request, binding } = await start(bindingBy("require"));
      const bound = request("GET", "/v1?a=1", binding("GET", "/v1?a=1"));
      expect((await sendRaw(socketPath, bound)).status).toBe(200);
      const { status, head } = await sendRaw(socketPath, bound);
      expect(status).toBe(401);
      expect(head).toContain('error="replayed"');
    });

    test("passes one of no byte on", async () => {
      const { socketPath, request, binding } = await start(bindingBy("require"));
      const lines = `${binding("POST", "/v1")}Content-Length: 0\r\n`;
      expect((await sendRaw(socketPath, request("POST", "/v1", lines))).status).toBe(200);
    });

    test.each([
      ["that is signed", "hello", "Content-Length: 5\r\n", "hello"],
      [
        "that is signed, in chunks",
        "hello",
        "Transfer-Encoding: chunked\r\n",
        "5\r\nhello\r\n0\r\n\r\n",
      ],
      ["that is not", undefined, "Content-Length: 5\r\n", "hello"],
      [
        "that is not, in chunks",
        undefined,
        "Transfer-Encoding: chunked\r\n",
        "5\r\nhello\r\n0\r\n\r\n",
      ],
    ])("refuses one with a body %s", async (_, signed, framing, sent) => {
      const { socketPath, request, binding, upstream, audit } = await start(bindingBy("require"));
      const head = request("POST", "/v1", binding("POST", "/v1", signed) + framing);
      const { status } = await sendRaw(socketPath, head + sent);
      expect(status).toBe(403);
      expect(await audit.entry(0)).toMatchObject({ status: 403, code: "forbidden" });
      expect(upstream.connections).toHaveLength(0);
    });

    test("refuses one without a body if nginx does not say so", async () => {
      const changes = {
        'proxy_set_header X-Original-Framing "$server_protocol;$content_length;$http_transfer_encoding";':
          "",
      };
      const { socketPath, request, binding } = await start(bindingBy("require"), { changes });
      const bound = request("GET", "/v1", binding("GET", "/v1"));
      expect((await sendRaw(socketPath, bound)).status).toBe(403);
    });
  });
});
