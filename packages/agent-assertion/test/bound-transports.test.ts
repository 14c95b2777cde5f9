import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import axios from "axios";
import { Agent, interceptors, FormData as UndiciFormData } from "undici";
import { describe, expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { assertionAdapter } from "../src/axios.js";
import { withAssertion } from "../src/fetch.js";
import {
  AssertionRejected,
  createProblem,
  createVerifier,
  memoryDirectory,
  memoryReplayStore,
} from "../src/index.js";
import { verifyRequest } from "../src/node.js";
import { AssertionSigner } from "../src/sign.js";
import { assertionInterceptor, repeatableBody } from "../src/undici.js";
import { dialWithAssertion } from "../src/websocket.js";
import { expectFailure } from "./expect-rejection.js";
import { AGENT_ID, AUTHORITY, agent, NOW, task } from "./fixtures.js";
import { ScriptedSource, streamOf } from "./signed-fetch.js";

interface Seen {
  readonly target: string | undefined;
  readonly outcome: string;
}

// A server that wants every request bound, and records what it found. A path `/302` leads to `/there`, `/503` fails once.
async function startServer() {
  const seen: Seen[] = [];
  const bodies: string[] = [];
  let failures = 1;
  const server = createServer(async (request, response) => {
    const { port } = server.address() as AddressInfo;
    const verifier = verifierFor(`http://127.0.0.1:${port}`);
    try {
      const { covered } = await verifyRequest(request, { verifier });
      seen.push({ target: request.url, outcome: covered.join(" ") });
      bodies.push(await text(request));
      if (request.url === "/302") response.writeHead(307, { location: "/there" });
      if (request.url === "/503" && failures-- > 0) response.writeHead(503);
      response.end("ok");
    } catch (error) {
      const code = AssertionRejected.is(error) ? error.code : "internal";
      seen.push({ target: request.url, outcome: code });
      const problem = createProblem(code === "internal" ? "server_error" : code);
      response.writeHead(problem.status, problem.headers).end(problem.body);
    }
  });
  const replayStore = memoryReplayStore({ now: () => NOW });
  const verifierFor = (publicUrl: string) =>
    createVerifier({
      directory: memoryDirectory({
        authority: AUTHORITY,
        agents: [agent],
        tasks: [{ ...task, agentRuntimeId: AGENT_ID }],
      }),
      now: () => NOW,
      binding: { policy: "require", publicUrl, replayStore },
    });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const source = new ScriptedSource();
  const signer = new AssertionSigner({ now: () => NOW });
  return { url, seen, bodies, source, options: { origins: [url], signer, binding: true } };
}

const WITHOUT_BODY = "@method @target-uri authorization";
const WITH_BODY = `${WITHOUT_BODY} content-digest`;

const form = () => {
  const body = new FormData();
  body.set("file", new Blob(["content"], { type: "text/csv" }), "name.csv");
  return body;
};

describe("fetch binds", () => {
  test.each<[string, () => RequestInit["body"] | undefined, string]>([
    ["no body", () => undefined, WITHOUT_BODY],
    ["an empty text", () => "", WITHOUT_BODY],
    ["a text", () => "tëxt", WITH_BODY],
    ["bytes", () => Buffer.from("bytes"), WITH_BODY],
    ["an ArrayBuffer", () => new ArrayBuffer(4), WITH_BODY],
    ["parameters", () => new URLSearchParams({ a: "b c" }), WITH_BODY],
    ["a Blob", () => new Blob(["blob"], { type: "text/csv" }), WITH_BODY],
    ["a form", form, WITH_BODY],
  ])("%s", async (_, body, outcome) => {
    const { url, seen, source, options } = await startServer();
    const api = withAssertion(fetch, source, options);
    const init = { method: "POST", body: body() ?? null };
    for (let i = 0; i < 2; i += 1) expect((await api(`${url}/v1/x?y=%20z`, init)).status).toBe(200);
    expect(seen).toEqual(Array(2).fill({ target: "/v1/x?y=%20z", outcome }));
  });

  test("with the type that a body has by itself", async () => {
    const types: (string | null)[] = [];
    const spy: typeof fetch = async (_, init) => {
      types.push(new Headers(init?.headers).get("content-type"));
      return new Response("ok");
    };
    const options = { origins: ["https://api.example"], binding: true };
    const api = withAssertion(spy, new ScriptedSource(), options);
    const post = (body: NonNullable<RequestInit["body"]>, headers = {}) =>
      api("https://api.example/", { method: "POST", body, headers });
    await post("text");
    await post(new URLSearchParams("a=b"));
    await post(form());
    await post(new Uint8Array(3));
    await post("{}", { "Content-Type": "application/json" });
    expect(types).toEqual([
      "text/plain;charset=UTF-8",
      "application/x-www-form-urlencoded;charset=UTF-8",
      expect.stringMatching(/^multipart\/form-data; boundary=/),
      null,
      "application/json",
    ]);
  });

  test("each hop of a redirect to its own URL", async () => {
    const { url, seen, source, options } = await startServer();
    await withAssertion(fetch, source, options)(`${url}/302`, { method: "PUT", body: "body" });
    expect(seen).toEqual([
      { target: "/302", outcome: WITH_BODY },
      { target: "/there", outcome: WITH_BODY },
    ]);
  });

  test.each<[string, (url: string) => Parameters<ReturnType<typeof withAssertion>>]>([
    ["a stream", (url) => [url, { method: "POST", body: streamOf("x"), duplex: "half" }]],
    [
      "a function that makes a stream",
      (url) => [url, { method: "POST", body: () => streamOf("x") }],
    ],
    ["a Request with a body", (url) => [new Request(url, { method: "POST", body: "x" })]],
  ])("no %s: nothing is sent", async (_, input) => {
    const { url, seen, source, options } = await startServer();
    const api = withAssertion(fetch, source, options);
    const error = await expectFailure(() => api(...input(url)), "invalid_request");
    expect(error.hint).toContain("binding");
    expect(seen).toEqual([]);
  });

  test("no wrong digest of the caller's: nothing is sent", async () => {
    const { url, seen, source, options } = await startServer();
    const api = withAssertion(fetch, source, options);
    const headers = { "content-digest": "sha-256=:AAAA:" };
    await expectFailure(() => api(url, { method: "POST", body: "x", headers }), "invalid_request");
    expect(seen).toEqual([]);
  });

  test("nothing to a human's bearer", async () => {
    const { url, seen, source, options } = await startServer();
    source.current = {
      kind: "bearer",
      authority: AUTHORITY,
      accessToken: "human",
      reason: "feature_off",
      origins: [new URL(url).origin],
    };
    expect((await withAssertion(fetch, source, options)(url)).status).toBe(401);
    expect(seen).toEqual([{ target: "/", outcome: "missing" }]);
  });
});

describe("the interceptor binds", () => {
  function agentOf(...interceptors: Parameters<Agent["compose"]>) {
    const dispatcher = new Agent();
    onTestFinished(() => dispatcher.destroy());
    return dispatcher.compose(...interceptors);
  }
  const undiciForm = () => {
    const body = new UndiciFormData();
    body.set("file", new Blob(["content"]), "name.csv");
    return body;
  };

  test.each([
    ["no body", () => null, WITHOUT_BODY],
    ["a text", () => "text", WITH_BODY],
    ["bytes", () => Uint8Array.from([1, 2]), WITH_BODY],
    ["undici's form", undiciForm, WITH_BODY],
  ])("%s", async (_, body, outcome) => {
    const { url, seen, source, options } = await startServer();
    const dispatcher = agentOf(assertionInterceptor(source, options));
    const request = { origin: url, path: "/a/../x", query: { y: "z" }, method: "POST" } as const;
    await dispatcher.request({ ...request, body: body() });
    // Byte for byte what is sent, though the URL would be read as another.
    expect(seen).toEqual([{ target: "/a/../x?y=z", outcome }]);
  });

  test("undici's form whole, with its boundary", async () => {
    const { url, bodies, source, options } = await startServer();
    const dispatcher = agentOf(assertionInterceptor(source, options));
    await dispatcher.request({ origin: url, path: "/", method: "POST", body: undiciForm() });
    expect(bodies[0]).toMatch(/^--.+name.csv.+content/s);
  });

  test.each([
    ["before", true],
    ["after", false],
  ])("each retry separately, with retry %s", async (_, isBefore) => {
    const { url, seen, source, options } = await startServer();
    const retry = interceptors.retry({ minTimeout: 1, methods: ["PUT"] });
    const signing = assertionInterceptor(source, options);
    const dispatcher = agentOf(...(isBefore ? [retry, signing] : [signing, retry]));
    await dispatcher.request({ origin: url, path: "/503", method: "PUT", body: "body" });
    expect(seen).toEqual(Array(2).fill({ target: "/503", outcome: WITH_BODY }));
  });

  test("each redirect to its own URL", async () => {
    const { url, seen, source, options } = await startServer();
    const redirect = interceptors.redirect({ maxRedirections: 3 });
    const dispatcher = agentOf(assertionInterceptor(source, options), redirect);
    await dispatcher.request({ origin: url, path: "/302", method: "PUT", body: "body" });
    expect(seen.map(({ target }) => target)).toEqual(["/302", "/there"]);
    expect(seen.map(({ outcome }) => outcome)).toEqual([WITH_BODY, WITH_BODY]);
  });

  test.each([
    ["a stream", () => Readable.from(["x"])],
    ["a function that makes a stream", () => repeatableBody(() => Readable.from(["x"]))],
  ])("no %s: nothing is sent", async (_, body) => {
    const { url, seen, source, options } = await startServer();
    const dispatcher = agentOf(assertionInterceptor(source, options));
    const run = () => dispatcher.request({ origin: url, path: "/", method: "POST", body: body() });
    await expectFailure(run, "invalid_request");
    expect(seen).toEqual([]);
  });

  test("no wrong digest of the caller's: nothing is sent", async () => {
    const { url, seen, source, options } = await startServer();
    const dispatcher = agentOf(assertionInterceptor(source, options));
    const headers = { "Content-Digest": "sha-256=:AAAA:" };
    const request = { origin: url, path: "/", method: "POST", body: "x", headers } as const;
    await expectFailure(() => dispatcher.request(request), "invalid_request");
    expect(seen).toEqual([]);
  });
});

describe("axios binds", () => {
  test.each(["http", "fetch"] as const)("over its %s adapter", async (adapter) => {
    const { url, seen, source, options } = await startServer();
    const api = axios.create({
      adapter: assertionAdapter(axios, source, { ...options, adapter }),
      proxy: false,
    });
    await api.get(`${url}/x`, { params: { a: ["1", "2"], b: "ä" } });
    for (const data of [{ a: 1 }, "text", Buffer.from("bytes"), form(), new Blob(["x"])]) {
      await api.post(url, data);
    }
    await api.put(`${url}/302`, "body");
    expect(seen.map(({ outcome }) => outcome)).toEqual([WITHOUT_BODY, ...Array(7).fill(WITH_BODY)]);
  });
});

describe("a dial binds", () => {
  test("its handshake", async () => {
    const { url, seen, source, options } = await startServer();
    const target = `${url.replace("http", "ws")}/socket?x`;
    const dial = dialWithAssertion(source, options);
    const connect = (headers: Record<string, string>) => new WebSocket(target, { headers });
    // The server takes no upgrades, and answers the handshake as a request: what it found is what counts.
    await expectFailure(() => dial(target, connect), "refused");
    expect(seen).toEqual([{ target: "/socket?x", outcome: WITHOUT_BODY }]);
  });
});
