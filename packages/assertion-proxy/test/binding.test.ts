import { type BindingOptions, memoryReplayStore } from "@countersign/agent-assertion";
import { describe, expect, test } from "vitest";
import type { VerifyingGatewayOptions } from "../src/gateway/verifying-gateway.js";
import { connectRaw, readAnswer, sendRaw } from "./raw-client.js";
import { startRawUpstream } from "./raw-upstream.js";
import { NOW, PUBLIC_URL, startGateway, type TestGateway } from "./start-gateway.js";
import { HANDSHAKE, SWITCH } from "./websocket-bytes.js";

const CHUNKED = "Transfer-Encoding: chunked\r\n";

function lengthOf(body: string): string {
  return `Content-Length: ${body.length}\r\n`;
}

async function start(
  policy: "accept" | "require",
  more: Partial<BindingOptions> = {},
  answer = "",
  limits: VerifyingGatewayOptions["limits"] = {},
) {
  const upstream = await startRawUpstream(answer === "" ? undefined : answer);
  const gateway = await startGateway({
    upstream: upstream.url,
    limits,
    binding: {
      policy,
      publicUrl: PUBLIC_URL,
      replayStore: memoryReplayStore({ now: () => NOW }),
      ...more,
    },
  });
  return { upstream, gateway };
}

/** Sends a request and returns the code of its refusal, which must come before anything was dialled. */
async function refusal(bytes: (gateway: TestGateway) => string, more?: Partial<BindingOptions>) {
  const { upstream, gateway } = await start("require", more);
  const { status, body } = await sendRaw(gateway.url, bytes(gateway));
  expect(upstream.connections).toHaveLength(0);
  const { code } = JSON.parse(body);
  expect(await gateway.entry(0)).toMatchObject({ status, code });
  return { status, code };
}

describe("a gateway that requires binding refuses, and the upstream receives nothing of, (G-G9)", () => {
  test("a request that is not bound", async () => {
    expect(await refusal((gateway) => gateway.request("GET", "/v1"))).toEqual({
      status: 401,
      code: "binding_required",
    });
  });

  test.each([
    ["another method", "POST", "/v1?a=1"],
    ["another path", "GET", "/v2?a=1"],
    ["another query", "GET", "/v1?a=2"],
  ])("a request bound for %s", async (_, method, target) => {
    const bound = (gateway: TestGateway) =>
      gateway.request("GET", "/v1?a=1", gateway.binding(method, target));
    expect(await refusal(bound)).toEqual({ status: 401, code: "binding_mismatch" });
  });

  test.each([
    ["another body", "hullo", "hello"],
    ["a body that is longer", "hello", "hello!"],
    ["no body", undefined, "hello"],
  ])("a request bound for %s", async (_, signed, body) => {
    const bound = (gateway: TestGateway) =>
      gateway.request("POST", "/v1", gateway.binding("POST", "/v1", signed) + lengthOf(body)) +
      body;
    expect(await refusal(bound)).toEqual({ status: 401, code: "binding_mismatch" });
  });

  test("a bound body in chunks that ends early", async () => {
    const bound = (gateway: TestGateway) =>
      `${gateway.request("POST", "/v1", gateway.binding("POST", "/v1", "hello") + CHUNKED)}3\r\nhel\r\n0\r\n\r\n`;
    expect(await refusal(bound)).toEqual({ status: 401, code: "binding_mismatch" });
  });

  test.each([
    ["no body", undefined, "3\r\nhel\r\n0\r\n\r\n"],
    ["a body", "hello", "0\r\n\r\n"],
  ])("a request bound for %s whose chunks say otherwise (G-M6)", async (_, signed, chunks) => {
    const bound = (gateway: TestGateway) =>
      gateway.request("POST", "/v1", gateway.binding("POST", "/v1", signed) + CHUNKED) + chunks;
    expect(await refusal(bound)).toEqual({ status: 401, code: "binding_mismatch" });
  });

  test.each([lengthOf("hello"), CHUNKED])("a bound body that is too long (%j)", async (framing) => {
    const body = framing === CHUNKED ? "5\r\nhello\r\n0\r\n\r\n" : "hello";
    const bound = (gateway: TestGateway) =>
      gateway.request("POST", "/v1", gateway.binding("POST", "/v1", "hello") + framing) + body;
    expect(await refusal(bound, { maxBodyBytes: 4 })).toEqual({
      status: 413,
      code: "invalid_request",
    });
  });

  test("a request whose nonce cannot be kept", async () => {
    const replayStore = { spend: () => Promise.reject(new Error("secret: full")) };
    const bound = (gateway: TestGateway) =>
      gateway.request("GET", "/v1", gateway.binding("GET", "/v1"));
    expect(await refusal(bound, { replayStore })).toEqual({ status: 503, code: "server_error" });
  });
});

describe("a bound request", () => {
  test("goes through once, and is replayed the second time (G-G9)", async () => {
    const { upstream, gateway } = await start("require", {}, "HTTP/1.1 204 No\r\n\r\n");
    const bytes = gateway.request("GET", "/v1?a=1", gateway.binding("GET", "/v1?a=1"));
    const client = await connectRaw(gateway.url);
    client.send(bytes);
    expect(await client.bytes.until("\r\n\r\n")).toMatch(/^HTTP\/1\.1 204 /);
    const { status, body } = await sendRaw(gateway.url, bytes);
    expect(status).toBe(401);
    expect(JSON.parse(body)).toMatchObject({ code: "replayed" });
    expect(upstream.connections).toHaveLength(1);
  });

  test.each(["accept", "require"] as const)(
    "has the very bytes that were checked (%s) (G-G9)",
    async (policy) => {
      const { upstream, gateway } = await start(policy);
      const body = "\u0000\u0001\u00ffany bytes\r\n";
      const client = await connectRaw(gateway.url);
      client.send(
        gateway.request("POST", "/v1", gateway.binding("POST", "/v1", body) + lengthOf(body)),
      );
      // Nothing is dialled before the last byte was compared.
      client.send(body.slice(0, -1));
      expect(await sendRaw(gateway.url, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")).toMatchObject({
        status: 401,
      });
      expect(upstream.connections).toHaveLength(0);
      client.send(body.slice(-1));
      const { bytes } = await upstream.connection(0);
      const seen = await bytes.until(body);
      expect(seen).toContain(`content-length: ${body.length}\r\n`);
      expect(seen.split("\r\n\r\n")[1]).toBe(body);
    },
  );

  test("in chunks goes on with its bytes and its trailers", async () => {
    const { upstream, gateway } = await start("require");
    const client = await connectRaw(gateway.url);
    const lines = gateway.binding("POST", "/v1", "hello world") + CHUNKED;
    client.send(gateway.request("POST", "/v1", lines));
    client.send("5\r\nhello\r\n6\r\n world\r\n0\r\nX-Sum: 9\r\n\r\n");
    const { bytes } = await upstream.connection(0);
    const seen = await bytes.until("X-Sum: 9\r\n\r\n");
    const chunks = seen.slice(seen.indexOf("\r\n\r\n") + 4).split("\r\n");
    expect(chunks.filter((_, index) => index % 2 === 1).join("")).toMatch(/^hello world/);
  });

  test("in chunks without a byte is one without a body", async () => {
    const { upstream, gateway } = await start("require");
    const client = await connectRaw(gateway.url);
    client.send(gateway.request("POST", "/v1", gateway.binding("POST", "/v1") + CHUNKED));
    client.send("0\r\n\r\n");
    const { bytes } = await upstream.connection(0);
    expect(await bytes.until("\r\n\r\n")).toContain("content-length: 0\r\n");
  });

  test("is asked for its body once its signature held, where it waits for that", async () => {
    const { upstream, gateway } = await start("require");
    const client = await connectRaw(gateway.url);
    const expects = "Expect: 100-continue\r\n";
    const lines = gateway.binding("POST", "/v1", "hello") + lengthOf("hello") + expects;
    client.send(gateway.request("POST", "/v1", lines));
    expect(await client.bytes.until("\r\n\r\n")).toBe("HTTP/1.1 100 Continue\r\n\r\n");
    expect(upstream.connections).toHaveLength(0);
    client.send("hello");
    const { bytes } = await upstream.connection(0);
    const seen = await bytes.until("hello");
    expect(seen).not.toMatch(/^expect/im);

    const refused = await connectRaw(gateway.url);
    refused.send(gateway.request("POST", "/v2", lines));
    const { status, body } = await readAnswer(refused);
    expect(status).toBe(401);
    expect(JSON.parse(body)).toMatchObject({ code: "binding_mismatch" });
  });

  test("opens a WebSocket", async () => {
    const { gateway } = await start("require", {}, SWITCH);
    const unbound = await sendRaw(gateway.url, gateway.request("GET", "/v1", HANDSHAKE));
    expect(JSON.parse(unbound.body)).toMatchObject({ code: "binding_required" });
    const client = await connectRaw(gateway.url);
    client.send(gateway.request("GET", "/v1", gateway.binding("GET", "/v1") + HANDSHAKE));
    expect(await client.bytes.until("\r\n\r\n")).toMatch(/^HTTP\/1\.1 101 /);
  });
});

test("bodies of one agent are held up to its share, and again once one is given up (G-G14)", async () => {
  const answer = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
  const { gateway } = await start("require", {}, answer, { maxHeldBytes: 16 });
  const bound = () =>
    gateway.request("POST", "/v1", gateway.binding("POST", "/v1", "hello") + lengthOf("hello"));
  const send = () => sendRaw(gateway.url, `${bound()}hello`);
  expect((await send()).status).toBe(200);
  const unfinished = await connectRaw(gateway.url);
  unfinished.send(`${bound()}hell`);
  // Once its first bytes are there.
  await expect.poll(async () => (await send()).status).toBe(429);
  expect(gateway.audit.at(-1)).toMatchObject({ code: "rate_limited", agent_runtime_id: "agent_1" });
  expect((await send()).head).toMatch(/^retry-after: 5\r$/im);
  unfinished.socket.destroy();
  await expect.poll(async () => (await send()).status).toBe(200);
});

test("a body is not held any more once the upstream answers, however long the answer goes on", async () => {
  const answer = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\n";
  const { gateway } = await start("require", {}, answer, { maxHeldBytes: 16 });
  for (let index = 0; index < 3; index += 1) {
    const client = await connectRaw(gateway.url);
    const lines = gateway.binding("POST", "/v1", "hello") + lengthOf("hello");
    client.send(`${gateway.request("POST", "/v1", lines)}hello`);
    expect(await client.bytes.until("\r\n\r\n")).toMatch(/^HTTP\/1\.1 200 /);
  }
});

test("where binding is accepted, a body that is not bound streams through before it is whole", async () => {
  const { upstream, gateway } = await start("accept", { maxBodyBytes: 1 });
  const client = await connectRaw(gateway.url);
  client.send(`${gateway.request("POST", "/v1", CHUNKED)}5\r\nhello\r\n`);
  await (await upstream.connection(0)).bytes.until("hello");
});
