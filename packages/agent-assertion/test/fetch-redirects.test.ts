import { headerOf, type UpstreamAnswer } from "@countersign/testing";
import { afterEach, describe, expect, onTestFinished, test } from "vitest";
import { withAssertion } from "../src/fetch.js";
import { AssertionSigner } from "../src/index.js";
import { failureOf } from "./expect-rejection.js";
import { membersOf, NOW, TASK_ID } from "./fixtures.js";
import {
  credentialsOf,
  first,
  refusal,
  ScriptedSource,
  second,
  setUp,
  start,
  stopServers,
  streamOf,
} from "./signed-fetch.js";

afterEach(stopServers);

const redirectTo = (location: string, status = 302): UpstreamAnswer => ({
  status,
  headers: { location },
});
describe("a redirect", () => {
  test("to another origin is followed without any credential (G-C5)", async () => {
    const { server, source, api } = await setUp();
    const other = await start();
    server.answer(redirectTo(`${other.url}/there`));
    const headers = { cookie: "a=b", "x-own": "1", "proxy-authorization": "Basic x" };
    const response = await api(`${server.url}/here#part`, { headers });
    expect(response.status).toBe(200);
    expect(response.redirected).toBe(true);
    expect(other.requests[0]?.url).toBe("/there");
    expect(credentialsOf(other)).toEqual([undefined]);
    for (const name of ["cookie", "proxy-authorization"]) {
      expect(headerOf(other.requests[0] ?? expect.fail(), name)).toBeUndefined();
    }
    expect(headerOf(other.requests[0] ?? expect.fail(), "x-own")).toBe("1");
    expect(source.heard).toEqual([["accepted", first, server.url]]);
  });

  test("back from another origin carries no credential: that origin chose its URL (G-C5)", async () => {
    const { server, api } = await setUp();
    const other = await start(() => redirectTo(`${server.url}/chosen-elsewhere`));
    server.answer(redirectTo(other.url));
    await api(server.url);
    expect(server.requests.map((request) => request.url)).toEqual(["/", "/chosen-elsewhere"]);
    expect(credentialsOf(server)).toEqual([TASK_ID, undefined]);
  });

  test("within the named origins is signed again each time", async () => {
    const clock = { now: NOW };
    const one = await start();
    const two = await start();
    const api = withAssertion(fetch, new ScriptedSource(), {
      origins: [one.url, two.url],
      signer: new AssertionSigner({ now: () => (clock.now += 1000) }),
    });
    one.answer(redirectTo("/next"), redirectTo(two.url));
    await api(one.url);
    const fields = [...one.requests, ...two.requests].map((request) =>
      headerOf(request, "authorization"),
    );
    expect(fields).toHaveLength(3);
    expect(new Set(fields).size).toBe(3);
    for (const field of fields) expect(membersOf(field ?? "").task_id).toBe(TASK_ID);
  });

  test.each<[number, string, string, string]>([
    [301, "POST", "GET", ""],
    [302, "POST", "GET", ""],
    [303, "POST", "GET", ""],
    [303, "PUT", "GET", ""],
    [301, "PUT", "PUT", "body"],
    [307, "post", "POST", "body"],
    [308, "PATCH", "PATCH", "body"],
  ])("%i of %s is followed with %s", async (status, method, then, body) => {
    const { server, api } = await setUp();
    server.answer(redirectTo("/next", status));
    const headers = { "content-type": "text/plain" };
    await api(server.url, { method, body: "body", headers });
    expect(server.requests[1]).toMatchObject({ method: then, body, url: "/next" });
    const type = headerOf(server.requests[1] ?? expect.fail(), "content-type");
    expect(type).toBe(body === "" ? undefined : "text/plain");
  });

  test("makes a function's stream again", async () => {
    const { server, api } = await setUp();
    server.answer(redirectTo("/next", 307));
    await api(server.url, { method: "POST", body: () => streamOf("body") });
    expect(server.requests[1]).toMatchObject({ method: "POST", body: "body", url: "/next" });
  });

  test("to a path outside the pattern is followed without any credential", async () => {
    const server = await start();
    const { api } = await setUp({ origins: [`${server.url}/v1/*`] });
    server.answer(redirectTo("/v1/next"), redirectTo("/v2"), redirectTo("/v1/back"));
    await api(`${server.url}/v1/x`);
    expect(credentialsOf(server)).toEqual([TASK_ID, TASK_ID, undefined, undefined]);
  });

  test("of HEAD by 303 stays HEAD", async () => {
    const { server, api } = await setUp();
    server.answer(redirectTo("/next", 303));
    await api(server.url, { method: "HEAD" });
    expect(server.requests[1]?.method).toBe("HEAD");
  });

  test("of a Request keeps its method and headers", async () => {
    const { server, api } = await setUp();
    server.answer(redirectTo("/next", 307));
    await api(new Request(server.url, { method: "DELETE", headers: { "x-own": "1" } }));
    expect(server.requests[1]).toMatchObject({ method: "DELETE", url: "/next" });
    expect(headerOf(server.requests[1] ?? expect.fail(), "x-own")).toBe("1");
  });

  test.each([
    [
      "a streamed body that cannot be sent again",
      "/next",
      { method: "POST", duplex: "half" } as const,
    ],
    ["no http(s) URL", "data:text/plain,x", {}],
    ["no URL", "http://[", {}],
    ["a URL with a user name", "http://secret@127.0.0.1/", {}],
    ["a URL with a password", "http://:secret@127.0.0.1/", {}],
  ])("is an error as of fetch: %s", async (_, location, init) => {
    const { server, api } = await setUp();
    server.answer(redirectTo(location, 307));
    const body = "duplex" in init ? { body: streamOf("body") } : {};
    const error = await failureOf(() => api(server.url, { ...init, ...body }));
    expect(error).toBeInstanceOf(TypeError);
    expect(String(error)).not.toContain("secret");
    expect(server.requests).toHaveLength(1);
  });

  test("is followed 20 times and no more", async () => {
    const { server, api } = await setUp();
    server.answer(...Array(20).fill(redirectTo("/next")));
    expect((await api(server.url)).status).toBe(200);
    server.answer(...Array(21).fill(redirectTo("/next")));
    expect(await failureOf(() => api(server.url))).toBeInstanceOf(TypeError);
  });

  test("of a Request ends by that one's signal", async () => {
    const { server, api } = await setUp();
    const abort = new AbortController();
    const ended = Promise.withResolvers<void>();
    onTestFinished(() => ended.resolve());
    const elsewhere = await start(() => {
      abort.abort(new Error("enough"));
      return { kind: "hold", until: ended.promise };
    });
    server.answer(redirectTo(elsewhere.url));
    const call = api(new Request(server.url, { signal: abort.signal }));
    const error = await failureOf(() => Promise.race([call, ended.promise]));
    expect(String(error)).toBe("Error: enough");
  });

  test("without a Location is an answer like others", async () => {
    const { server, api } = await setUp();
    server.answer({ status: 302 });
    const response = await api(server.url);
    expect(response.status).toBe(302);
    expect(response.redirected).toBe(false);
  });

  test("is left to the caller who asked for that", async () => {
    const { server, api } = await setUp();
    server.answer(redirectTo("/next"), redirectTo("/next"), redirectTo("/next"));
    expect((await api(server.url, { redirect: "manual" })).status).toBe(302);
    expect((await api(new Request(server.url, { redirect: "manual" }))).status).toBe(302);
    expect(await failureOf(() => api(server.url, { redirect: "error" }))).toBeInstanceOf(TypeError);
    expect(server.requests).toHaveLength(3);
  });

  test("that leaves a streamed body behind can be repeated after a 401", async () => {
    const { server, source, api } = await setUp();
    source.next = second;
    server.answer(redirectTo("/next", 303), refusal);
    const init = { method: "POST", body: streamOf("body"), duplex: "half" } as const;
    expect((await api(server.url, init)).status).toBe(200);
    expect(server.requests.map(({ method }) => method)).toEqual(["POST", "GET", "GET"]);
  });

  test("has no second repetition after a 401 before it", async () => {
    const { server, source, api } = await setUp();
    source.next = second;
    server.answer(refusal, redirectTo("/next"), refusal);
    expect((await api(server.url)).status).toBe(401);
    expect(server.requests).toHaveLength(3);
  });
});
