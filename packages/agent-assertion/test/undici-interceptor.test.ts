import { Readable, Writable } from "node:stream";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { headerOf } from "@countersign/testing";
import { FormData, fetch, interceptors } from "undici";
import { afterEach, describe, expect, test } from "vitest";
import { AssertionSigner, createProblem } from "../src/index.js";
import { repeatableBody } from "../src/undici.js";
import { expectFailure, failureOf } from "./expect-rejection.js";
import { membersOf, NOW, TASK_ID } from "./fixtures.js";
import {
  bearerFor,
  credentialsOf,
  first,
  refusal,
  second,
  start,
  stopServers,
} from "./signed-fetch.js";
import { setUpDispatcher } from "./undici-scene.js";

afterEach(stopServers);

const fieldsOf = (requests: readonly Parameters<typeof headerOf>[0][]) =>
  requests.map((request) => headerOf(request, "authorization"));

describe("a request that is not for the interceptor", () => {
  test.each([
    ["to another origin", {}],
    ["with a path that is a URL of its own", { path: "http://127.0.0.1:1/v1/x" }],
  ])("passes untouched %s", async (_, extra) => {
    const { server, source, agent } = await setUpDispatcher();
    const other = await start();
    const origin = "path" in extra ? server.url : other.url;
    await agent.request({ origin, path: "/", method: "GET", ...extra });
    expect(credentialsOf("path" in extra ? server : other)).toEqual([undefined]);
    expect(source.signals).toEqual([]);
  });

  test("passes untouched below the origin but outside the pattern (G-C1)", async () => {
    const server = await start();
    const { agent } = await setUpDispatcher({ origins: [`${server.url}/v1/*`] });
    for (const path of ["/v1/x", "/v2/x", "/v1/../v2/x", "/v1/%2e%2e/v2/x", "/v1/..%2fv2/x"]) {
      await agent.request({ origin: server.url, path, method: "GET" });
    }
    expect(server.requests[2]?.url).toBe("/v1/../v2/x");
    expect(credentialsOf(server)).toEqual([TASK_ID, undefined, undefined, undefined, undefined]);
  });

  test.each([[["a"]], [new Map([["a b", "c"]])]])(
    "is refused by undici with the headers %o",
    async (headers) => {
      const { server, source, agent } = await setUpDispatcher();
      const run = () => agent.request({ origin: server.url, path: "/", method: "GET", headers });
      expect(await failureOf(run)).toMatchObject({ code: "UND_ERR_INVALID_ARG" });
      expect(server.requests).toEqual([]);
      expect(source.heard).toEqual([]);
    },
  );
});

describe("a signed request of a dispatcher", () => {
  test.each<[string, Record<string, string> | string[] | Headers | [string, string][]]>([
    ["a record", { AUTHORIZATION: "Bearer own-secret" }],
    ["a list", ["authorization", "Bearer own-secret"]],
    ["Headers", new Headers({ authorization: "Bearer own-secret" })],
  ])("has no other Authorization, though its caller gave one in %s", async (_, headers) => {
    const { server, warnings, agent } = await setUpDispatcher();
    await agent.request({ origin: server.url, path: "/", method: "GET", headers });
    const fields = server.requests[0]?.rawHeaders.filter(([name]) => /^authorization$/i.test(name));
    expect(fields).toHaveLength(1);
    expect(credentialsOf(server)).toEqual([TASK_ID]);
    expect(warnings).toHaveLength(1);
    expect(warnings.join()).not.toContain("own-secret");
  });

  test("goes out as it is while the feature is off: a stream too, though it is to be bound", async () => {
    const { server, source, agent } = await setUpDispatcher({ binding: true });
    source.current = { kind: "none", reason: "feature_off" };
    const options = { origin: server.url, path: "/", method: "POST", query: { a: "b" } } as const;
    const { body } = await agent.request({ ...options, body: Readable.from(["body"]) });
    expect(await body.json()).toEqual({ ok: true });
    expect(server.requests[0]).toMatchObject({ body: "body", url: "/?a=b" });
    expect(credentialsOf(server)).toEqual([undefined]);
  });

  test.each(["agent", "client", "pool"] as const)("goes through %s", async (kind) => {
    const scene = await setUpDispatcher();
    const { server, source } = scene;
    const dispatcher = kind === "agent" ? scene.agent : scene[kind]();
    const origin = kind === "agent" ? { origin: server.url } : {};
    const { statusCode, body } = await dispatcher.request({
      ...origin,
      path: "/v1/x",
      method: "POST",
      query: { a: "b c", d: ["1", "2"] },
      headers: ["x-own", "1", "x-own", "2"],
      body: "text",
    });
    expect(statusCode).toBe(200);
    expect(await body.json()).toEqual({ ok: true });
    expect(server.requests[0]).toMatchObject({
      method: "POST",
      url: "/v1/x?a=b%20c&d=1&d=2",
      body: "text",
    });
    expect(credentialsOf(server)).toEqual([TASK_ID]);
    const own = server.requests[0]?.rawHeaders.filter(([name]) => name === "x-own");
    expect(own?.map(([, value]) => value)).toEqual(["1", "2"]);
    expect(source.heard).toEqual([["accepted", first, server.url]]);
  });

  test("works with stream, pipeline and fetch", async () => {
    const { server, agent } = await setUpDispatcher();
    let streamed = "";
    await agent.stream(
      { origin: server.url, path: "/", method: "GET" },
      () =>
        new Writable({
          write(chunk, _, done) {
            streamed += String(chunk);
            done();
          },
        }),
    );
    const duplex = agent.pipeline(
      { origin: server.url, path: "/", method: "POST" },
      ({ body }) => body,
    );
    const piped = text(duplex);
    duplex.end("sent");
    const fetched = await fetch(server.url, { method: "POST", body: "sent", dispatcher: agent });
    expect([streamed, await piped, await fetched.text()]).toEqual(Array(3).fill('{"ok":true}'));
    expect(server.requests.map((request) => request.body)).toContain("sent");
    expect(credentialsOf(server)).toEqual([TASK_ID, TASK_ID, TASK_ID]);
  });

  test("is not sent when there is no credential (G-C7)", async () => {
    const { server, source, agent } = await setUpDispatcher();
    const failure = new Error("no task");
    source.credential = () => Promise.reject(failure);
    expect(
      await failureOf(() => agent.request({ origin: server.url, path: "/", method: "GET" })),
    ).toBe(failure);
    expect(server.requests).toEqual([]);
  });

  test("carries a human's bearer only to the origins that it names", async () => {
    const { server, source, agent } = await setUpDispatcher();
    source.current = bearerFor([server.url]);
    await agent.request({ origin: server.url, path: "/", method: "GET" });
    expect(credentialsOf(server)).toEqual(["Bearer human-secret"]);
    source.current = bearerFor([]);
    const run = () => agent.request({ origin: server.url, path: "/", method: "GET" });
    await expectFailure(run, "unauthenticated");
    expect(server.requests).toHaveLength(1);
  });

  test("asks for no credential when its signal ended it before", async () => {
    const { server, source, agent } = await setUpDispatcher();
    const signal = AbortSignal.abort();
    const run = () => agent.request({ origin: server.url, path: "/", method: "GET", signal });
    expect(await failureOf(run)).toMatchObject({ name: "AbortError" });
    expect([source.signals, server.requests]).toEqual([[], []]);
  });

  test("ends while it waits for its credential, when its signal says so", async () => {
    const { server, source, agent } = await setUpDispatcher();
    const controller = new AbortController();
    source.credential = (options) => {
      source.signals.push(options?.signal);
      queueMicrotask(() => controller.abort());
      return new Promise(() => {});
    };
    const run = () =>
      agent.request({ origin: server.url, path: "/", method: "GET", signal: controller.signal });
    expect(await failureOf(run)).toMatchObject({ name: "AbortError" });
    expect(source.signals[0]?.aborted).toBe(true);
    expect(server.requests).toEqual([]);
  });

  test("ends while its refusal is dealt with, when its signal says so", async () => {
    const { server, source, agent } = await setUpDispatcher();
    const controller = new AbortController();
    source.refused = () => {
      queueMicrotask(() => controller.abort());
      return new Promise(() => {});
    };
    server.answer(refusal);
    const run = () =>
      agent.request({ origin: server.url, path: "/", method: "GET", signal: controller.signal });
    expect(await failureOf(run)).toMatchObject({ name: "AbortError" });
    expect(source.signals[0]?.aborted).toBe(true);
    expect(server.requests).toHaveLength(1);
  });

  test("reports the failure of its body while it waits for its credential", async () => {
    const { server, source, agent } = await setUpDispatcher();
    const failure = new Error("no such file");
    const body = new Readable({ read() {} });
    const wait = Promise.withResolvers<typeof first>();
    source.credential = () => {
      body.destroy(failure);
      return wait.promise;
    };
    const run = () => agent.request({ origin: server.url, path: "/", method: "POST", body });
    expect(await failureOf(run)).toBe(failure);
    wait.resolve(first);
    expect(server.requests).toEqual([]);
  });
});

describe("a 401 to a dispatcher's request", () => {
  const form = () => {
    const body = new FormData();
    body.set("a", "form");
    return body;
  };
  async function* generate() {
    yield Buffer.from("body");
  }
  const again = { [Symbol.asyncIterator]: generate };

  test.each<[string, () => unknown]>([
    ["a text", () => "body"],
    ["a Buffer", () => Buffer.from("body")],
    ["bytes", () => Uint8Array.from(Buffer.from("body"))],
    ["nothing", () => undefined],
    ["a form of undici", form],
    ["an iterable that can be iterated again", () => again],
    ["a list of chunks", () => [Buffer.from("bo"), Buffer.from("dy")]],
    ["a function that makes a stream", () => repeatableBody(() => Readable.from(["body"]))],
    ["a function that makes a generator", () => repeatableBody(generate)],
  ])("is answered with another credential, and %s sent again", async (_, body) => {
    const { server, source, agent } = await setUpDispatcher();
    source.next = second;
    server.answer(refusal);
    const method = body() === undefined ? "GET" : "POST";
    const answer = await agent.request({
      origin: server.url,
      path: "/",
      method,
      body: body() as never,
    });
    expect(answer.statusCode).toBe(200);
    expect(await answer.body.json()).toEqual({ ok: true });
    expect(credentialsOf(server)).toEqual([TASK_ID, "task-2"]);
    const [one, two] = server.requests.map((request) => request.body);
    const boundary = /^-+\S+/.exec(two ?? "")?.[0];
    expect(one).toContain(method === "GET" ? "" : boundary === undefined ? "body" : "form");
    if (boundary === undefined) expect(two).toBe(one);
    expect(source.heard).toEqual([
      ["refused", first, { code: "task_revoked", origin: server.url }],
      ["accepted", second, server.url],
    ]);
  });

  test.each<[string, () => unknown]>([
    ["a stream", () => Readable.from(["body"])],
    ["a web stream", () => new Blob(["body"]).stream()],
    ["a generator", generate],
  ])("is handed up whole, and its source told, when %s cannot be sent again", async (_, body) => {
    const { server, source, agent } = await setUpDispatcher();
    source.next = second;
    server.answer(refusal);
    const answer = await agent.request({
      origin: server.url,
      path: "/",
      method: "POST",
      body: body() as never,
    });
    expect(answer.statusCode).toBe(401);
    expect(await answer.body.json()).toMatchObject({ code: "task_revoked" });
    expect(server.requests.map((request) => request.body)).toEqual(["body"]);
    expect(source.heard).toMatchObject([["refused", first, { code: "task_revoked" }]]);
  });

  test("is handed up by fetch for a request with a body, and answered for one without", async () => {
    const { server, source, agent } = await setUpDispatcher();
    source.next = second;
    server.answer(refusal);
    expect((await fetch(server.url, { dispatcher: agent })).status).toBe(200);
    server.answer(refusal, refusal);
    const post = await fetch(server.url, { method: "POST", body: "body", dispatcher: agent });
    expect(post.status).toBe(401);
    expect(await post.json()).toMatchObject({ code: "task_revoked" });
  });

  test("is handed up when the second credential is refused too", async () => {
    const { server, source, agent } = await setUpDispatcher();
    source.next = second;
    server.answer(refusal, createProblem("task_expired"), refusal);
    const answer = await agent.request({ origin: server.url, path: "/", method: "GET" });
    expect(await answer.body.json()).toMatchObject({ code: "task_expired" });
    expect(credentialsOf(server)).toEqual([TASK_ID, "task-2"]);
    expect(source.heard.map(([event]) => event)).toEqual(["refused"]);
  });

  test("gives way to the source's error", async () => {
    const { server, source, agent } = await setUpDispatcher();
    const failure = new Error("the agent was revoked");
    source.refused = () => Promise.reject(failure);
    server.answer(refusal);
    const run = () => agent.request({ origin: server.url, path: "/", method: "GET" });
    expect(await failureOf(run)).toBe(failure);
  });

  const json = { "content-type": "application/problem+json" };
  test.each([
    ["of its body", "expired", { status: 401, headers: json, body: '{"code":"expired"}' }],
    ["of nothing, with a broken body", undefined, { status: 401, headers: json, body: "{" }],
    [
      "of nothing, with a long body",
      undefined,
      {
        status: 401,
        headers: json,
        body: JSON.stringify({ more: "x".repeat(400_000), code: "expired" }),
      },
    ],
  ])("is told with the code %s, and dropped", async (_, code, answer) => {
    const { server, source, agent } = await setUpDispatcher();
    source.next = second;
    server.answer(answer);
    expect((await agent.request({ origin: server.url, path: "/", method: "GET" })).statusCode).toBe(
      200,
    );
    expect(source.heard[0]).toEqual(["refused", first, { code, origin: server.url }]);
  });

  test("keeps a long body whole when it is handed up", async () => {
    const { server, agent } = await setUpDispatcher();
    const body = JSON.stringify({ more: "x".repeat(1_000_000) });
    server.answer({ status: 401, headers: json, body });
    const answer = await agent.request({ origin: server.url, path: "/", method: "GET" });
    expect((await answer.body.text()) === body).toBe(true);
  });

  test.each([
    ["leaves its connection open when it is short", "{}", 0],
    ["ends its connection when it is too long to be read", "x".repeat(8 << 20), 1],
  ])("%s", async (_, body, ended) => {
    const { server, source, agent } = await setUpDispatcher();
    let disconnects = 0;
    agent.on("disconnect", () => {
      disconnects += 1;
    });
    source.next = second;
    server.answer({ status: 401, body });
    await agent.request({ origin: server.url, path: "/", method: "GET" });
    expect(server.requests).toHaveLength(2);
    expect(disconnects).toBe(ended);
  });

  test("to 100 requests at once: each reports its own credential, and is sent again once", async () => {
    const server = await start((request) => {
      const { task_id = "" } = membersOf(headerOf(request, "authorization") ?? "");
      return task_id.startsWith("old-") ? refusal : {};
    });
    const { source, agent } = await setUpDispatcher({ origins: [server.url] });
    let given = 0;
    source.credential = async () => ({ ...first, taskId: `old-${given++}` });
    source.refused = async (credential, { code, origin }) => {
      source.heard.push(["refused", credential, { code, origin }]);
      if (credential.kind !== "agent") return undefined;
      return { ...credential, taskId: credential.taskId.replace("old", "new") };
    };
    const answers = await Promise.all(
      Array.from({ length: 100 }, () =>
        agent.request({ origin: server.url, path: "/", method: "POST", body: "body" }),
      ),
    );
    expect(new Set(answers.map((answer) => answer.statusCode))).toEqual(new Set([200]));
    const told = source.heard.flatMap(([event, credential]) =>
      event === "refused" && credential.kind === "agent" ? [credential.taskId] : [],
    );
    expect([told.length, new Set(told).size]).toEqual([100, 100]);
    expect([server.requests.length, new Set(credentialsOf(server)).size]).toEqual([200, 200]);
  });
});

describe("beside undici's own interceptors", () => {
  const retry = interceptors.retry({ minTimeout: 1, maxRetries: 3 });
  const redirect = interceptors.redirect({ maxRedirections: 5 });
  const ticking = () => {
    const clock = { now: NOW };
    return new AssertionSigner({ now: () => (clock.now += 1000) });
  };
  const unavailable = { status: 503 } as const;

  test.each([
    ["before", { before: [retry] }],
    ["after", { after: [retry] }],
  ])("each retry is signed again, with retry %s", async (_, beside) => {
    const { server, agent } = await setUpDispatcher({ signer: ticking() }, beside);
    server.answer(unavailable, unavailable);
    const answer = await agent.request({ origin: server.url, path: "/", method: "GET" });
    expect(answer.statusCode).toBe(200);
    const times = fieldsOf(server.requests).map((field) => membersOf(field ?? "").timestamp);
    expect(new Set(times).size).toBe(3);
  });

  test.each([
    ["before", { before: [retry] }],
    ["after", { after: [retry] }],
  ])("a 401 is answered once, with retry %s", async (_, beside) => {
    const { server, source, agent } = await setUpDispatcher({}, beside);
    source.next = second;
    server.answer(refusal);
    const answer = await agent.request({ origin: server.url, path: "/", method: "GET" });
    expect([answer.statusCode, await answer.body.json()]).toEqual([200, { ok: true }]);
    expect(credentialsOf(server)).toEqual([TASK_ID, "task-2"]);
  });

  const away = { status: 307, headers: { location: "/next" } } as const;
  test.each([
    ["a retry", [retry], unavailable],
    ["a redirect", [redirect], away],
  ])(
    "a 401 after %s is handed up, as undici iterates a body only once more",
    async (_, after, before) => {
      const { server, source, agent } = await setUpDispatcher({}, { after });
      source.next = second;
      const again = {
        async *[Symbol.asyncIterator]() {
          yield Buffer.from("body");
        },
      };
      const put = (body: unknown) => {
        server.answer(before, refusal);
        const options = {
          origin: server.url,
          path: "/",
          method: "PUT",
          body: body as never,
        } as const;
        return agent.request(options);
      };
      expect((await put(again)).statusCode).toBe(401);
      expect((await put(repeatableBody(() => again))).statusCode).toBe(200);
      expect(server.requests.map((request) => request.body)).toEqual(Array(5).fill("body"));
    },
  );

  test("each redirect within the named origins is signed again", async () => {
    const there = await start();
    const server = await start(({ url }) =>
      url === "/" ? { status: 307, headers: { location: `${there.url}/there` } } : {},
    );
    const { agent } = await setUpDispatcher(
      { origins: [server.url, there.url], signer: ticking() },
      { after: [redirect] },
    );
    await agent.request({ origin: server.url, path: "/", method: "POST", body: "body" });
    expect(there.requests[0]).toMatchObject({ url: "/there", method: "POST", body: "body" });
    const fields = fieldsOf([...server.requests, ...there.requests]);
    expect(new Set(fields).size).toBe(2);
    for (const field of fields) expect(membersOf(field ?? "").task_id).toBe(TASK_ID);
  });

  test.each([
    ["redirect", [redirect]],
    ["redirect, then retry", [redirect, retry]],
    ["retry, then redirect", [retry, redirect]],
  ])("a redirect elsewhere and back is not signed, with %s (G-C5)", async (_, after) => {
    const { server, agent } = await setUpDispatcher({}, { after });
    const other = await start(() => ({
      status: 302,
      headers: { location: `${server.url}/chosen` },
    }));
    server.answer({ status: 302, headers: { location: other.url } });
    await agent.request({ origin: server.url, path: "/", method: "GET" });
    expect(server.requests.map((request) => request.url)).toEqual(["/", "/chosen"]);
    expect(credentialsOf(server)).toEqual([TASK_ID, undefined]);
    expect(credentialsOf(other)).toEqual([undefined]);
  });

  test("a redirect elsewhere and back that undici's fetch follows is not signed, but the next call to the same URL is", async () => {
    const { server, agent } = await setUpDispatcher();
    const other = await start(() => ({
      status: 302,
      headers: { location: `${server.url}/chosen` },
    }));
    server.answer({ status: 302, headers: { location: other.url } });
    await fetch(server.url, { dispatcher: agent });
    await fetch(`${server.url}/chosen`, { dispatcher: agent });
    expect(server.requests.map((request) => request.url)).toEqual(["/", "/chosen", "/chosen"]);
    expect(credentialsOf(server)).toEqual([TASK_ID, undefined, TASK_ID]);
    expect(credentialsOf(other)).toEqual([undefined]);
  });

  test("each redirect within the named origins that undici's fetch follows is signed", async () => {
    const { server, agent } = await setUpDispatcher();
    server.answer({ status: 302, headers: { location: "/there" } });
    await fetch(server.url, { dispatcher: agent });
    expect(credentialsOf(server)).toEqual([TASK_ID, TASK_ID]);
  });

  test("a retry after such a redirect starts signed again", async () => {
    const { server, agent } = await setUpDispatcher({}, { after: [redirect, retry] });
    const other = await start();
    other.answer(unavailable);
    const away = { status: 302, headers: { location: other.url } };
    server.answer(away, away);
    await agent.request({ origin: server.url, path: "/", method: "GET" });
    expect(credentialsOf(server)).toEqual([TASK_ID, TASK_ID]);
    expect(credentialsOf(other)).toEqual([undefined, undefined]);
  });

  test.each([
    ["an assertion", {}],
    ["the caller's own credential", { ownAuthorization: "keep" }],
  ] as const)("a redirect interceptor below does not follow with %s (G-C5)", async (_, options) => {
    const { server, agent } = await setUpDispatcher(options, { before: [redirect] });
    server.answer({ status: 302, headers: { location: "/elsewhere" } });
    const headers = { authorization: "own" };
    const answer = await agent.request({ origin: server.url, path: "/", method: "GET", headers });
    expect(answer.statusCode).toBe(302);
    expect(server.requests).toHaveLength(1);
  });
});

test("a pipeline of two dispatchers' streams holds back-pressure through a repetition", async () => {
  const { server, source, agent } = await setUpDispatcher();
  source.next = second;
  const body = Buffer.alloc(4 << 20, "x");
  server.answer(refusal, { body });
  const { body: stream } = await agent.request({ origin: server.url, path: "/", method: "GET" });
  let size = 0;
  await pipeline(
    stream,
    async function* (chunks) {
      for await (const chunk of chunks) {
        size += chunk.length;
        // Lets the socket go on between two chunks, so that the stream has to be paused.
        await new Promise(setImmediate);
        yield chunk;
      }
    },
    new Writable({ write: (_, __, done) => done() }),
  );
  expect(size).toBe(body.length);
});
