import { createHash } from "node:crypto";
import { connect } from "node:net";
import { describe, expect, test } from "vitest";
import { type BindingOptions, memoryReplayStore } from "../../src/index.js";
import { UnreadableBody } from "../../src/node.js";
import { AGENT_ID, header, NOW } from "../fixtures.js";
import { frameworks } from "./frameworks.js";
import type { RawRequest } from "./raw-exchange.js";
import { boundLines, endWithTest, SceneDirectory, verifierOf } from "./scene.js";

const text = Buffer.from('{"input":"hello"}');
// More than a stream holds, more than a socket takes at once.
const large = Buffer.alloc(3 * 1024 * 1024, "0123456789abcdef");

function withLength(body: Uint8Array): Pick<RawRequest, "lines" | "body"> {
  return { lines: [`Content-Length: ${body.length}`], body };
}

function inChunks(body: Uint8Array): Pick<RawRequest, "lines" | "body"> {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < body.length; at += 100_000) {
    const part = body.subarray(at, at + 100_000);
    parts.push(Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from("\r\n"));
  }
  parts.push(Buffer.from("0\r\n\r\n"));
  return { lines: ["Transfer-Encoding: chunked"], body: Buffer.concat(parts) };
}

const sha256 = (body: Uint8Array) => createHash("sha256").update(body).digest("hex");

describe.each(frameworks)("$name", (framework) => {
  const { name, isParsed = false, isUpgrade = false, start } = framework;

  async function setUp(binding: Partial<BindingOptions> = {}) {
    const errors: unknown[] = [];
    const site = await start({
      verifier: verifierOf(new SceneDirectory(), { policy: "require", ...binding }),
      onError: (error) => errors.push(error),
    });
    const send = (
      method: string,
      path: string,
      framed: Pick<RawRequest, "lines" | "body"> = {},
      signed: { readonly path?: string; readonly method?: string; readonly body?: Uint8Array } = {},
    ) => {
      const lines = boundLines(signed.method ?? method, signed.path ?? path, signed.body);
      return site.exchange({
        method,
        target: path,
        ...framed,
        lines: [...lines, ...(framed.lines ?? [])],
      });
    };
    return { site, errors, send };
  }

  const others: [string, Parameters<Awaited<ReturnType<typeof setUp>>["send"]>][] = [
    ["another path", ["GET", "/v1/x", {}, { path: "/v1/y" }]],
    ["another query", ["GET", "/v1/x?a=1", {}, { path: "/v1/x?a=2" }]],
    ["another method", ["DELETE", "/v1/x", {}, { method: "GET" }]],
    ["a target in other spelling", ["GET", "/v1/%78", {}, { path: "/v1/x" }]],
    ["another body", ["POST", "/", withLength(text), { body: Buffer.from('{"input":"HELLO"}') }]],
    ["another body in chunks", ["POST", "/", inChunks(large), { body: text }]],
    ["a body that is not signed", ["POST", "/", withLength(text), {}]],
    ["no body where one is signed", ["POST", "/", {}, { body: text }]],
    ["no chunk where a body is signed", ["POST", "/", inChunks(new Uint8Array()), { body: text }]],
  ];
  // An upgrade has none at all.
  if (!isUpgrade) others.push(["a body in chunks", ["POST", "/", inChunks(text), {}]]);

  test.each(others)("refuses %s than was signed (G-M5)", async (_, request) => {
    const { site, send, errors } = await setUp();
    const answer = await send(...request);
    expect(answer.status).toBe(401);
    expect(answer.headers.get("www-authenticate")).toContain("binding_mismatch");
    expect(JSON.parse(answer.body)).toMatchObject({ code: "binding_mismatch" });
    expect(site.handled()).toBe(0);
    expect(errors).toEqual([]);
  });

  test("refuses a request that is not bound", async () => {
    const { site } = await setUp();
    const answer = await site.exchange({ lines: [`Authorization: ${header}`] });
    expect(JSON.parse(answer.body)).toMatchObject({ code: "binding_required", status: 401 });
  });

  test("refuses a request the second time", async () => {
    const { site } = await setUp();
    const request = { lines: boundLines("GET", "/") };
    expect((await site.exchange(request)).status).toBe(200);
    const again = await site.exchange(request);
    expect(JSON.parse(again.body)).toMatchObject({ code: "replayed" });
    expect(site.handled()).toBe(1);
  });

  test("answers 503 while the replay store is full (G-M4)", async () => {
    const replayStore = memoryReplayStore({ maxEntries: 1, now: () => NOW });
    const { send, errors } = await setUp({ replayStore });
    expect((await send("GET", "/")).status).toBe(200);
    const answer = await send("GET", "/");
    expect(answer.status).toBe(503);
    expect(answer.headers.get("retry-after")).toBe("5");
    expect(errors).toMatchObject([{ code: "server_error" }]);
  });

  test.each(["/v1/../x", "/v1/%7Ex", "/v1//x", "/a|b?c='d'"])(
    "goes by the target as it came: %s",
    async (path) => {
      const { send } = await setUp();
      const answer = await send("GET", path);
      const isChanged =
        isParsed && new URL(path, "http://api.example").href !== `http://api.example${path}`;
      // What is not in normal form is refused, not let through as something else.
      if (isChanged) expect(JSON.parse(answer.body)).toMatchObject({ code: "binding_mismatch" });
      else expect(answer.status).toBe(200);
    },
  );

  test("verifies a request once where two checks stand before its route", async () => {
    const { send } = await setUp();
    const answer = await send("GET", "/admin");
    expect(JSON.parse(answer.body)).toMatchObject({ code: "forbidden" });
  });

  // An upgrade has no body.
  if (isUpgrade) return;

  test("refuses a body that is longer than it takes, before and while reading it (G-M9)", async () => {
    const { site, send, errors } = await setUp({ maxBodyBytes: 1_000_000 });
    for (const framed of [withLength(large), inChunks(large)]) {
      const answer = await send("POST", "/", framed, { body: large });
      expect(answer.status).toBe(413);
      expect(JSON.parse(answer.body)).toMatchObject({ code: "invalid_request", status: 413 });
    }
    expect(site.handled()).toBe(0);
    expect(errors).toEqual([]);
  });

  test("does not let a body that it did not take hold up the connection", async () => {
    const { site } = await setUp({ maxBodyBytes: 1_000_000 });
    const { lines = [], body = "" } = inChunks(large);
    const head = ["POST / HTTP/1.1", "Host: x", ...boundLines("POST", "/", large), ...lines];
    const socket = connect(site.port, "127.0.0.1");
    endWithTest(() => socket.destroy());
    socket.on("error", () => {});
    socket.write([...head, "", ""].join("\r\n"));
    socket.write(body);
    socket.write("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    const received: Buffer[] = [];
    socket.on("data", (chunk) => received.push(chunk));
    await new Promise((resolve) => socket.once("close", resolve));
    expect(String(Buffer.concat(received))).toContain("413");
  });

  test.each<[string, Pick<RawRequest, "lines" | "body">, Uint8Array]>([
    ["a small one", withLength(text), text],
    ["a small one in chunks", inChunks(text), text],
    ["a large one", withLength(large), large],
    ["a large one in chunks", inChunks(large), large],
    ["none, and a length of 0", { lines: ["Content-Length: 0"] }, new Uint8Array()],
    ["none, in chunks", inChunks(new Uint8Array()), new Uint8Array()],
  ])("leaves the body to the handler: %s (G-M8)", async (_, framed, body) => {
    const { send } = await setUp();
    const answer = await send("POST", "/v1/x", framed, { body });
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body)).toMatchObject({
      agent: AGENT_ID,
      bytes: body.length,
      sha256: sha256(body),
    });
  });

  test("leaves the body of a request that is not bound alone", async () => {
    const { site } = await setUp({ policy: "accept" });
    const { lines = [], body = "" } = inChunks(large);
    const unbound = [`Authorization: ${header}`, ...lines];
    const answer = await site.exchange({ method: "POST", lines: unbound, body });
    expect(JSON.parse(answer.body)).toMatchObject({ bytes: large.length, sha256: sha256(large) });
  });

  test("goes by the whole target where it is mounted below a prefix (G-M5)", async () => {
    const { send } = await setUp();
    const answer = await send("POST", "/mounted/v1/x?y=%20&z", withLength(text), { body: text });
    expect(answer.status).toBe(200);
    const { target } = JSON.parse(answer.body);
    const isStripped = /Express|Fastify/.test(name);
    if (!/Hono|Response/.test(name)) {
      expect(target).toBe(isStripped ? "/v1/x?y=%20&z" : "/mounted/v1/x?y=%20&z");
    }
    const other = await send("GET", "/mounted/v1/x", {}, { path: "/v1/x" });
    expect(JSON.parse(other.body)).toMatchObject({ code: "binding_mismatch" });
  });
});

test("an unreadable body is told by its guard", () => {
  expect(UnreadableBody.is(new UnreadableBody("cancelled", "x"))).toBe(true);
  expect(UnreadableBody.is(new Error("x"))).toBe(false);
});
