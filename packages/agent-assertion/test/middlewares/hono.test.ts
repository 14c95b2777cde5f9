import { Hono } from "hono";
import { describe, expect, test } from "vitest";
import { type AgentEnv, agentAssertion } from "../../src/hono.js";
import { UnreadableBody } from "../../src/node.js";
import { AGENT_ID, header, NOW } from "../fixtures.js";
import { boundLines, linesWithDigest, SceneDirectory, verifierOf } from "./scene.js";

const body = Buffer.from('{ "input" : "hello" }');

function headersOf(lines: readonly string[]): Headers {
  const headers = new Headers();
  for (const line of lines) {
    const colon = line.indexOf(":");
    headers.append(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  return headers;
}

function appOf(options: { readonly isBound?: boolean; readonly maxBodyBytes?: number } = {}) {
  const { isBound = true, maxBodyBytes } = options;
  const errors: unknown[] = [];
  let handled = 0;
  const directory = new SceneDirectory();
  const binding = isBound ? ({ policy: "require", maxBodyBytes } as const) : undefined;
  const verifier = verifierOf(directory, binding);
  const app = new Hono<AgentEnv>();
  const onError = (error: unknown) => errors.push(error);
  app.use("/early/*", async (c, next) => {
    await c.req.text();
    await next();
  });
  app.use(agentAssertion({ verifier, onError, now: () => NOW }));
  app.use("/twice", agentAssertion({ verifier, onError }));
  app.all("/raw", async (c) => c.json(await c.req.raw.json()));
  app.all("*", async (c) => {
    handled += 1;
    const text = c.req.method === "POST" ? await c.req.text() : "";
    return c.json({ agent: c.get("agent").agentRuntimeId, text });
  });
  return { app, directory, errors, handled: () => handled };
}

function streamOf(text: string): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      if (text !== "") controller.enqueue(Buffer.from(text));
      controller.close();
    },
  });
}

const signed = (path: string) => ({
  method: "POST",
  headers: headersOf(boundLines("POST", path, body)),
  body,
});

describe("without a server of Node's", () => {
  test.each<[string, string, readonly string[]]>([
    ["no field", "missing", []],
    ["a bearer token", "missing", ["Authorization: Bearer x"]],
    [
      "a field of another scheme that has commas",
      "missing",
      ['Authorization: Digest a="b", c="d"'],
    ],
    [
      "two assertions, which Headers joins",
      "malformed",
      [`Authorization: ${header}`, `Authorization: ${header}`],
    ],
    [
      "a bearer token joined before an assertion",
      "malformed",
      ["Authorization: Bearer x", `Authorization: ${header}`],
    ],
    [
      "a bearer token joined behind an assertion",
      "malformed",
      [`Authorization: ${header}`, "Authorization: Bearer x"],
    ],
    ["an assertion joined with nothing", "malformed", [`Authorization: ${header},`]],
  ])("%s is refused with %s (G-M2)", async (_, code, lines) => {
    const { app } = appOf({ isBound: false });
    const answer = await app.request("/", { headers: headersOf(lines) });
    expect(answer.status).toBe(401);
    expect(answer.headers.get("www-authenticate")).toBe(`AgentAssertion error="${code}"`);
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    expect(answer.headers.get("date")).toBe(new Date(NOW).toUTCString());
    expect(await answer.json()).toMatchObject({ code });
  });

  test("a request of Node's that was made up without a socket is verified", async () => {
    const { app } = appOf({ isBound: false });
    const incoming = { rawHeaders: ["Authorization", header] };
    expect(await (await app.request("/", {}, { incoming })).json()).toMatchObject({
      agent: AGENT_ID,
    });
  });

  test("a directory that cannot answer is 503", async () => {
    const { app, directory, errors } = appOf({ isBound: false });
    directory.failure = new Error("the directory's words");
    const answer = await app.request("/", { headers: { authorization: header } });
    expect(answer.status).toBe(503);
    expect(answer.headers.get("retry-after")).toBe("5");
    expect(await answer.text()).not.toContain("words");
    expect(errors).toEqual([directory.failure]);
  });

  test.each(["/v1/x?y=%20&z", "/twice", "/"])("a bound request to %s is verified", async (path) => {
    const { app } = appOf();
    const answer = await app.request(path, signed(path));
    expect(await answer.json()).toEqual({ agent: AGENT_ID, text: String(body) });
  });

  test("the body is there in the raw request, too", async () => {
    const { app } = appOf();
    expect(await (await app.request("/raw", signed("/raw"))).json()).toEqual({ input: "hello" });
  });

  test("a bound request without a body is verified", async () => {
    const { app } = appOf();
    const headers = headersOf(boundLines("GET", "/x"));
    expect(await (await app.request("/x", { headers })).json()).toMatchObject({ agent: AGENT_ID });
    const posted = headersOf(["Content-Length: 0", ...boundLines("POST", "/x")]);
    const answer = await app.request("/x", { method: "POST", headers: posted, body: "" });
    expect(await answer.json()).toMatchObject({ agent: AGENT_ID, text: "" });
  });

  test.each<[string, string, RequestInit]>([
    ["another path", "/y", {}],
    ["another body", "/x", { body: "{}" }],
    ["no body", "/x", { body: null }],
    ["another method", "/x", { method: "PUT" }],
  ])("%s than was signed is refused", async (_, path, change) => {
    const { app } = appOf();
    const answer = await app.request(path, { ...signed("/x"), ...change });
    expect(answer.headers.get("www-authenticate")).toContain("binding_mismatch");
  });

  test("a body that is longer than the verifier takes is refused", async () => {
    const { app } = appOf({ maxBodyBytes: 8 });
    const answer = await app.request("/x", signed("/x"));
    expect(answer.status).toBe(413);
    expect(await answer.json()).toMatchObject({ code: "invalid_request" });
  });

  test("a body of GET, which Fetch does not have, is refused as the caller's doing", async () => {
    const { app, errors } = appOf();
    const headers = headersOf([`Content-Length: ${body.length}`, ...boundLines("GET", "/x", body)]);
    const answer = await app.request("/x", { headers });
    expect(answer.status).toBe(401);
    expect(await answer.json()).toMatchObject({ code: "binding_mismatch" });
    expect(errors).toEqual([]);
  });

  // What runtimes make of requests: Deno gives a stream to each POST, and some keep the Content-Length that the client sent.
  const streamed = (fields: readonly string[], signedBody: Uint8Array | undefined, bytes: string) =>
    new Request("http://localhost/x", {
      method: "POST",
      headers: headersOf([...fields, ...boundLines("POST", "/x", signedBody)]),
      body: streamOf(bytes),
      duplex: "half",
    });

  test.each<[string, readonly string[], Uint8Array | undefined, string]>([
    ["a body that is not signed, with a length of 0", ["Content-Length: 0"], undefined, "added"],
    ["a body that is not signed, without a length", [], undefined, "added"],
    ["another body than the signed one, with a length of 0", ["Content-Length: 0"], body, "added"],
    ["no byte of a signed body", [`Content-Length: ${body.length}`], body, ""],
  ])(
    "a stream of %s is refused, whatever a field says (G-M6)",
    async (_, fields, signedBody, bytes) => {
      const { app, handled } = appOf();
      const answer = await app.request(streamed(fields, signedBody, bytes));
      expect(answer.status).toBe(401);
      expect(await answer.json()).toMatchObject({ code: "binding_mismatch" });
      expect(handled()).toBe(0);
    },
  );

  test("the digest of no byte is refused: a request without a byte has no body", async () => {
    const { app } = appOf();
    const answer = await app.request(
      new Request("http://localhost/x", {
        method: "POST",
        headers: headersOf(linesWithDigest("POST", "/x", Buffer.alloc(0))),
        body: streamOf(""),
        duplex: "half",
      }),
    );
    expect(await answer.json()).toMatchObject({ code: "binding_mismatch" });
  });

  test.each<[string, readonly string[], Uint8Array | undefined]>([
    ["a bound POST without a body, whose stream has no byte,", [], undefined],
    ["the same with a length of 0", ["Content-Length: 0"], undefined],
    ["the same with the length that another hop had", ["Content-Length: 9"], undefined],
    ["a bound POST whose body comes with a length of 0", ["Content-Length: 0"], body],
  ])("%s is verified, and its body left to the handler (G-M6)", async (_, fields, signedBody) => {
    const { app } = appOf();
    const text = String(signedBody ?? "");
    const answer = await app.request(streamed(fields, signedBody, text));
    expect(await answer.json()).toEqual({ agent: AGENT_ID, text });
  });

  test("a stream is not read before the signature held", async () => {
    const { app } = appOf();
    let pulled = 0;
    const pull = (controller: ReadableStreamDefaultController) => {
      pulled += 1;
      controller.close();
    };
    const request = new Request("http://localhost/y", {
      ...{ method: "POST", headers: headersOf(boundLines("POST", "/x")), duplex: "half" },
      body: new ReadableStream({ pull }, { highWaterMark: 0 }),
    });
    expect((await app.request(request)).status).toBe(401);
    expect(pulled).toBe(0);
  });

  test("a body without end is refused all the same", async () => {
    const { app } = appOf({ maxBodyBytes: 1000 });
    const endless = new ReadableStream({ pull: (controller) => controller.enqueue(body) });
    const init = { ...signed("/x"), body: endless, duplex: "half" } as const;
    expect((await app.request(new Request("http://localhost/x", init))).status).toBe(413);
  });

  test("a fragment, which is not sent, is not compared", async () => {
    const { app } = appOf();
    const request = new Request("http://localhost/x?y#part", signed("/x?y"));
    expect((await app.request(request)).status).toBe(200);
  });

  test("a body that was read before stops the check", async () => {
    const { app, errors } = appOf();
    const answer = await app.request("/early/x", signed("/early/x"));
    expect(answer.status).toBe(503);
    expect(UnreadableBody.is(errors[0]) && errors[0].code).toBe("config_invalid");
    expect(UnreadableBody.is(errors[0]) && errors[0].hint).toContain("before anything reads");
  });

  test("a body that breaks off is no server error of ours", async () => {
    const { app, errors } = appOf();
    const broken = new ReadableStream({
      pull: (controller) => controller.error(new Error("gone")),
    });
    const request = new Request("http://localhost/x", {
      ...signed("/x"),
      body: broken,
      duplex: "half",
    });
    await app.request(request);
    expect(errors).toEqual([]);
  });
});
