import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createVerifier, memoryDirectory, memoryReplayStore } from "@countersign/agent-assertion";
import { verifyRequest } from "@countersign/agent-assertion/node";
import { CountersignError } from "@countersign/agent-key";
import { describe, expect, onTestFinished, test } from "vitest";
import { connectRaw, readAnswer, sendRaw } from "./raw-client.js";
import { startRawUpstream } from "./raw-upstream.js";
import {
  credentialOf,
  startSigningProxy,
  type TestSigningProxyOptions,
} from "./start-signing-proxy.js";

/** Starts a resource server that takes bound requests alone, and answers with the body that it read and what it covered. */
async function startStrictServer(): Promise<string> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const credential = credentialOf();
  const agent = {
    agentRuntimeId: credential.agentRuntimeId,
    accountId: "acct-1",
    userId: "user-1",
    capabilities: [],
    publicKeys: [credential.key.publicKey],
    state: "active" as const,
  };
  const tasks = ["task_1", "task_2"].map((taskId) => ({
    agentRuntimeId: agent.agentRuntimeId,
    taskId,
    state: "active" as const,
  }));
  const verifier = createVerifier({
    directory: memoryDirectory({ authority: credential.authority, agents: [agent], tasks }),
    binding: { policy: "require", publicUrl: url, replayStore: memoryReplayStore() },
  });
  let isFirst = true;
  server.on("request", async (request, response) => {
    try {
      const { covered, taskId } = await verifyRequest(request, { verifier });
      if (request.url === "/refused-once" && isFirst) {
        isFirst = false;
        response
          .writeHead(401, { "www-authenticate": 'AgentAssertion error="unknown_task"' })
          .end();
        return;
      }
      response.end(JSON.stringify({ covered, taskId }));
    } catch (error) {
      response.statusCode = 401;
      response.end(CountersignError.is(error) ? error.code : "");
    }
  });
  return url;
}

async function start(options: Partial<TestSigningProxyOptions> = {}) {
  const upstream = await startStrictServer();
  const signing = await startSigningProxy({ upstream, binding: true, ...options });
  return signing;
}

const BODY_COVERED = ["@method", "@target-uri", "authorization", "content-digest"];

describe("a proxy that binds", () => {
  test.each([
    ["a body of a length", "Content-Length: 5\r\n", "hello", BODY_COVERED],
    ["a body in chunks", "Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n\r\n", BODY_COVERED],
    [
      "an empty body in chunks",
      "Transfer-Encoding: chunked\r\n",
      "0\r\n\r\n",
      BODY_COVERED.slice(0, 3),
    ],
    ["no body", "", "", BODY_COVERED.slice(0, 3)],
  ])("signs method, URL and %s", async (_, lines, body, covered) => {
    const signing = await start();
    const request = signing.request("POST", "/v1?a=%20b", lines) + body;
    const answer = await sendRaw(signing.url, request);
    expect(JSON.parse(answer.body)).toEqual({ covered, taskId: "task_1" });
  });

  test("signs again for the second attempt, with the same body", async () => {
    const signing = await start();
    signing.source.next = credentialOf("task_2");
    const request = signing.request("POST", "/refused-once", "Content-Length: 5\r\n");
    const answer = await sendRaw(signing.url, `${request}hello`);
    expect(JSON.parse(answer.body)).toEqual({ covered: BODY_COVERED, taskId: "task_2" });
  });

  test("asks for a body that its client keeps, and then does not ask the upstream", async () => {
    const signing = await start();
    const client = await connectRaw(signing.url);
    client.send(signing.request("POST", "/v1", "Content-Length: 5\r\nExpect: 100-continue\r\n"));
    await client.bytes.until("100 Continue\r\n\r\n");
    client.send("hello");
    expect(await client.bytes.until("content-digest")).toContain("HTTP/1.1 200 OK");
  });

  test("refuses a body that is too long to be held, and asks no source for it", async () => {
    const signing = await start({ bindingBodyBytes: 4 });
    const request = `${signing.request("POST", "/v1", "Content-Length: 5\r\n")}hello`;
    const answer = await sendRaw(signing.url, request);
    expect(answer.status).toBe(413);
    expect(JSON.parse(answer.body)).toMatchObject({ code: "invalid_request" });
    expect(signing.source.calls).toEqual([]);
  });

  test("keeps a client's digest that is right, refuses one that is wrong, and sends no signature of a client's", async () => {
    const upstream = await startRawUpstream();
    const signing = await startSigningProxy({ upstream: upstream.url, binding: true });
    const digest = "sha-256=:LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=:";
    const lines = "Content-Length: 5\r\nSignature: own=:AAAA:\r\nSignature-Input: own=()\r\n";
    const right = signing.request("POST", "/v1", `${lines}Content-Digest: ${digest}\r\n`);
    expect(await sendRaw(signing.url, `${right}hello`)).toMatchObject({ status: 200 });
    const { text } = (await upstream.connection(0)).bytes;
    expect(text.match(/^content-digest: .*$/gim)).toEqual([`content-digest: ${digest}`]);
    expect(text.match(/^signature(?:-input)?: /gim)).toHaveLength(2);
    expect(text).not.toContain("own=");
    const wrong = await sendRaw(signing.url, `${right}hullo`);
    expect(wrong.status).toBe(400);
    expect(upstream.connections).toHaveLength(1);
  });

  test("sends no signature and no digest of a client's as a trailer", async () => {
    const upstream = await startRawUpstream();
    const signing = await startSigningProxy({ upstream: upstream.url, binding: true });
    const trailers = "Signature: own=:AAAA:\r\nSignature_Input: own=()\r\nContent-Digest: own\r\n";
    const lines = "Transfer-Encoding: chunked\r\nTrailer: Signature, X-Sum\r\n";
    const request = signing.request("POST", "/v1", lines);
    const answer = await sendRaw(
      signing.url,
      `${request}5\r\nhello\r\n0\r\n${trailers}X-Sum: 1\r\n\r\n`,
    );
    expect(answer.status).toBe(200);
    const text = await (await upstream.connection(0)).bytes.until("\r\n0\r\nX-Sum: 1\r\n\r\n");
    expect(text).toMatch(/^trailer: x-sum\r$/m);
    expect(text).not.toContain("own");
  });

  test("sends a human's token unbound, with whatever the client signed itself", async () => {
    const upstream = await startRawUpstream();
    const signing = await startSigningProxy({ upstream: upstream.url, binding: true });
    signing.source.current = {
      kind: "bearer",
      authority: "https://authority.example",
      accessToken: "human-token",
      reason: "feature_off",
      origins: [upstream.url],
    };
    const client = await connectRaw(signing.url);
    client.send(signing.request("GET", "/v1", "Signature: own=:AAAA:\r\n"));
    expect(await readAnswer(client)).toMatchObject({ status: 200 });
    const { text } = (await upstream.connection(0)).bytes;
    expect(text).toContain("\r\nSignature: own=:AAAA:\r\nauthorization: Bearer human-token\r\n");
    expect(text).not.toMatch(/^signature-input/im);
  });
});

test("a proxy that does not bind is refused where binding is required", async () => {
  const signing = await start({ binding: false });
  const answer = await sendRaw(signing.url, signing.request("GET", "/v1"));
  expect(answer).toMatchObject({ status: 401, body: "binding_required" });
});
