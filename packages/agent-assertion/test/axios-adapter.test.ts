import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { inspect } from "node:util";
import { headerOf } from "@countersign/testing";
import axios, { AxiosError, type AxiosRequestConfig } from "axios";
import { afterEach, describe, expect, test } from "vitest";
import { type AssertionAdapterOptions, assertionAdapter } from "../src/axios.js";
import { AssertionSigner, createProblem } from "../src/index.js";
import { expectFailure, failureOf } from "./expect-rejection.js";
import { membersOf, NOW, TASK_ID } from "./fixtures.js";
import {
  bearerFor,
  credentialsOf,
  first,
  refusal,
  ScriptedSource,
  second,
  start,
  stopServers,
} from "./signed-fetch.js";

afterEach(stopServers);

async function setUp(
  options: Partial<AssertionAdapterOptions> = {},
  config: AxiosRequestConfig = {},
) {
  const server = await start();
  const source = new ScriptedSource();
  const warnings: string[] = [];
  const adapter = assertionAdapter(axios, source, {
    origins: [server.url],
    signer: new AssertionSigner({ now: () => NOW }),
    onWarning: (message) => warnings.push(message),
    ...options,
  });
  return { server, source, warnings, api: axios.create({ adapter, proxy: false, ...config }) };
}

const redirectTo = (location: string, status = 302) => ({ status, headers: { location } });

describe.each(["http", "fetch"] as const)("axios over its %s adapter", (adapter) => {
  test("lets a request elsewhere pass untouched (G-C1)", async () => {
    const { source, api } = await setUp({ adapter });
    const other = await start();
    const body = () => Readable.from(["made"]);
    await api.post(other.url, body);
    expect(credentialsOf(other)).toEqual([undefined]);
    expect(other.requests[0]?.body).toBe("made");
    expect(source.signals).toEqual([]);
  });

  describe.each<[string, (url: string) => AxiosRequestConfig]>([
    ["header", (url) => ({ url, headers: { AUTHORIZATION: "Bearer own-secret" } })],
    ["auth", (url) => ({ url, auth: { username: "u", password: "own-secret" } })],
    ["user name in the URL", (url) => ({ url: url.replace("//", "//own-secret@") })],
    ["password in the URL", (url) => ({ url: url.replace("//", "//:own%2Dsecret@") })],
  ])("the caller's own %s", (_, config) => {
    test("is replaced, with a warning (G-C2)", async () => {
      const { server, warnings, api } = await setUp({ adapter });
      await api.request(config(server.url));
      expect(credentialsOf(server)).toEqual([TASK_ID]);
      expect(warnings).toEqual([expect.stringContaining("authorization")]);
      expect(warnings.join()).not.toContain("own-secret");
    });

    test("is refused where that is asked for, and nothing is sent", async () => {
      const { server, api } = await setUp({ adapter, ownAuthorization: "refuse" });
      const error = await expectFailure(() => api.request(config(server.url)), "invalid_request");
      expect(error.message).not.toContain("own-secret");
      expect(server.requests).toEqual([]);
    });

    test("is kept where that is asked for, within its origin", async () => {
      const { server, warnings, source, api } = await setUp({ adapter, ownAuthorization: "keep" });
      const other = await start();
      server.answer(redirectTo("/next"), redirectTo(other.url));
      await api.request(config(server.url));
      const [one, two] = credentialsOf(server);
      const encoded = one?.replace(/^Basic (.*)$/, (_, text) =>
        Buffer.from(text, "base64").toString(),
      );
      expect(encoded).toMatch(/^(?:Bearer |u:|:)?own-secret:?$/);
      expect([two, credentialsOf(other)]).toEqual([one, [undefined]]);
      expect(warnings).toHaveLength(1);
      expect(source.signals).toEqual([]);
    });
  });

  test("signs a redirect to another named origin, without the user name that was kept", async () => {
    const there = await start();
    const server = await start(() => redirectTo(there.url));
    const origins = [server.url, there.url];
    const { api } = await setUp({ adapter, ownAuthorization: "keep", origins });
    await api.get(server.url, { auth: { username: "u", password: "p" } });
    expect(credentialsOf(server)).toEqual([expect.stringMatching(/^Basic /)]);
    expect(credentialsOf(there)).toEqual([TASK_ID]);
  });

  test("sends a request as it is while the feature is off: a stream too, though it is to be bound", async () => {
    const { server, source, api } = await setUp({ adapter, binding: true });
    source.current = { kind: "none", reason: "feature_off" };
    const auth = { username: "u", password: "p" };
    await api.post(server.url, Readable.from(["body"]), { auth });
    expect(server.requests[0]?.body).toBe("body");
    expect(credentialsOf(server)).toEqual([`Basic ${Buffer.from("u:p").toString("base64")}`]);
  });

  test("removes the credentials that beforeRedirect adds", async () => {
    const { server, api } = await setUp({ adapter });
    const other = await start();
    server.answer(redirectTo("/next"), redirectTo(other.url));
    await api.get(server.url, {
      beforeRedirect: ({ headers }) => {
        headers.Authorization = "Bearer own-secret";
        headers["X-Api-Key"] = "own-secret";
      },
    });
    expect([credentialsOf(server), credentialsOf(other)]).toEqual([
      [TASK_ID, TASK_ID],
      [undefined],
    ]);
    for (const request of [...server.requests, ...other.requests]) {
      expect(headerOf(request, "x-api-key")).toBeUndefined();
    }
  });

  test("signs what base URL and parameters make, and leaves the rest as it was", async () => {
    const { server, source, api } = await setUp({ adapter });
    const config = {
      baseURL: `${server.url}/v1/`,
      params: { a: "b c" },
      headers: { "x-own": "1" },
    };
    const answer = await api.post("/x", { hello: "world" }, config);
    expect(answer.data).toEqual({ ok: true });
    expect(answer.config.url).toBe("/x");
    expect(server.requests[0]).toMatchObject({
      method: "POST",
      url: "/v1/x?a=b+c",
      body: '{"hello":"world"}',
    });
    expect(headerOf(server.requests[0] ?? expect.fail(), "x-own")).toBe("1");
    expect(credentialsOf(server)).toEqual([TASK_ID]);
    expect(source.heard).toEqual([["accepted", first, server.url]]);
  });

  test("signs no path outside the pattern", async () => {
    const server = await start();
    const { api } = await setUp({ adapter, origins: [`${server.url}/v1/*`] });
    for (const path of ["/v1/x", "/v2/x", "/v1/../v2/x", "/v1/%2e%2e/v2/x"])
      await api.get(server.url + path);
    expect(credentialsOf(server)).toEqual([TASK_ID, undefined, undefined, undefined]);
  });

  test("rejects by validateStatus, and shows no assertion in the error", async () => {
    const { server, api } = await setUp({ adapter });
    server.answer({ status: 418 }, { status: 503 }, { status: 418 }, { kind: "reset" });
    const error = await failureOf(() => api.get(server.url));
    expect(error).toBeInstanceOf(AxiosError);
    expect(error).toMatchObject({ code: "ERR_BAD_REQUEST", response: { status: 418 } });
    expect(JSON.stringify((error as AxiosError).toJSON())).not.toContain("AgentAssertion");
    expect(JSON.stringify((error as AxiosError).response?.config)).not.toContain("AgentAssertion");
    expect(await failureOf(() => api.get(server.url))).toMatchObject({ code: "ERR_BAD_RESPONSE" });
    expect((await api.get(server.url, { validateStatus: null })).status).toBe(418);
    const broken = await failureOf(() => api.get(server.url));
    expect(broken).toBeInstanceOf(AxiosError);
    expect(JSON.stringify((broken as AxiosError).toJSON())).not.toContain("AgentAssertion");
  });

  test("prints no assertion with an error or an answer, whose request can still be read", async () => {
    const { server, api } = await setUp({ adapter });
    server.answer({ status: 418 }, { kind: "reset" }, redirectTo("/a"), redirectTo("/b"));
    const refused = await failureOf(() => api.get(server.url));
    const broken = await failureOf(() => api.get(server.url));
    const tooMany = await failureOf(() => api.get(server.url, { maxRedirects: 1 }));
    const answer = await api.get(server.url);
    for (const printed of [refused, broken, tooMany, answer]) {
      expect(inspect(printed, { depth: 4 })).not.toContain("AgentAssertion");
    }
    for (const holder of [refused, tooMany, answer]) expect(holder).toHaveProperty("request");
  });

  test("prints no assertion with a body that streams", async () => {
    const { server, api } = await setUp({ adapter });
    server.answer({ body: "streamed" }, { status: 418 });
    const config = { responseType: "stream" } as const;
    const answer = await api.get(server.url, config);
    const refused = await failureOf(() => api.get(server.url, config));
    for (const printed of [answer, answer.data, refused]) {
      expect(inspect(printed, { depth: 4 })).not.toContain("AgentAssertion");
    }
    expect(await text(answer.data)).toBe("streamed");
  });

  test("sends nothing when there is no credential (G-C7)", async () => {
    const { server, source, api } = await setUp({ adapter });
    const failure = new Error("no task");
    source.credential = () => Promise.reject(failure);
    expect(await failureOf(() => api.get(server.url))).toBe(failure);
    expect(server.requests).toEqual([]);
  });

  test("carries a human's bearer only to the origins that it names", async () => {
    const { server, source, api } = await setUp({ adapter });
    source.current = bearerFor([server.url]);
    await api.get(server.url);
    expect(credentialsOf(server)).toEqual(["Bearer human-secret"]);
    source.current = bearerFor([]);
    await expectFailure(() => api.get(server.url), "unauthenticated");
    expect(server.requests).toHaveLength(1);
  });

  test("ends while it waits for its credential, when its signal says so", async () => {
    const { server, source, api } = await setUp({ adapter });
    const controller = new AbortController();
    source.credential = (options) => {
      queueMicrotask(() => controller.abort(new Error("no longer wanted")));
      return new Promise((_, reject) => {
        options?.signal?.addEventListener("abort", () => reject(options.signal?.reason));
      });
    };
    const run = () => api.get(server.url, { signal: controller.signal });
    expect(await failureOf(run)).toMatchObject({ code: "ERR_CANCELED" });
    expect(server.requests).toEqual([]);
  });

  const form = () => {
    const body = new FormData();
    body.set("a", "form");
    return body;
  };
  test.each<[string, () => unknown]>([
    ["a text", () => "body"],
    ["an object", () => ({ body: 1 })],
    ["a Buffer", () => Buffer.from("body")],
    ["a Blob", () => new Blob(["body"])],
    ["a form", form],
    ["a function that makes a stream", () => () => Readable.from(["body"])],
    ["nothing", () => undefined],
  ])("answers a 401 with another credential, and sends %s again", async (_, data) => {
    const { server, source, api } = await setUp({ adapter });
    source.next = second;
    server.answer(refusal);
    expect((await api.post(server.url, data())).data).toEqual({ ok: true });
    expect(credentialsOf(server)).toEqual([TASK_ID, "task-2"]);
    const [one, two] = server.requests.map((request) => request.body);
    for (const body of [one, two]) expect(body).toMatch(data() === undefined ? /^$/ : /body|form/);
    expect(source.heard).toEqual([
      ["refused", first, { code: "task_revoked", origin: server.url }],
      ["accepted", second, server.url],
    ]);
  });

  test.each<[string, () => unknown]>([
    ["a stream", () => Readable.from(["body"])],
    ["a form of form-data, which is a stream", () => axios.toFormData({ body: "1" })],
  ])("hands up the 401 when %s cannot be sent again", async (_, data) => {
    const { server, source, api } = await setUp({ adapter });
    source.next = second;
    server.answer(refusal);
    const error = await failureOf(() => api.post(server.url, data()));
    expect(error).toMatchObject({ response: { status: 401, data: { code: "task_revoked" } } });
    expect(server.requests).toHaveLength(1);
    expect(source.heard).toMatchObject([["refused", first, { code: "task_revoked" }]]);
  });

  test("hands up the second 401", async () => {
    const { server, source, api } = await setUp({ adapter });
    source.next = second;
    server.answer(refusal, createProblem("task_expired"), refusal);
    const error = await failureOf(() => api.get(server.url));
    expect(error).toMatchObject({ response: { data: { code: "task_expired" } } });
    expect(server.requests).toHaveLength(2);
  });

  test("gives way to the source's error", async () => {
    const { server, source, api } = await setUp({ adapter });
    const failure = new Error("the agent was revoked");
    source.refused = () => Promise.reject(failure);
    server.answer(refusal);
    expect(await failureOf(() => api.get(server.url, { responseType: "stream" }))).toBe(failure);
  });

  const problem = { "content-type": "application/problem+json" };
  test.each([
    ["text", "expired"],
    ["json", "expired"],
    ["arraybuffer", "expired"],
    ["stream", undefined],
  ] as const)(
    "reports the code of a body that is wanted as %s as %s",
    async (responseType, code) => {
      const { server, source, api } = await setUp({ adapter });
      source.next = second;
      server.answer({ status: 401, headers: problem, body: '{"code":"expired"}' });
      const { data } = await api.get(server.url, { responseType });
      if (responseType === "stream") expect(await text(data)).toBe('{"ok":true}');
      expect(source.heard[0]).toEqual(["refused", first, { code, origin: server.url }]);
    },
  );

  test("to 100 requests at once: each reports its own credential, and is sent again once", async () => {
    const server = await start((request) => {
      const { task_id = "" } = membersOf(headerOf(request, "authorization") ?? "");
      return task_id.startsWith("old-") ? refusal : {};
    });
    const { source, api } = await setUp({ adapter, origins: [server.url] });
    let given = 0;
    const told: unknown[] = [];
    source.credential = async () => ({ ...first, taskId: `old-${given++}` });
    source.refused = async (credential) => {
      told.push(credential.kind === "agent" ? credential.taskId : undefined);
      return second;
    };
    const calls = Array.from({ length: 100 }, () => api.post(server.url, "body"));
    expect(new Set((await Promise.all(calls)).map(({ status }) => status))).toEqual(new Set([200]));
    expect([told.length, new Set(told).size, server.requests.length]).toEqual([100, 100, 200]);
  });

  test("follows a redirect to another origin without any credential, and signs none that leads back (G-C5)", async () => {
    const { server, api } = await setUp({ adapter });
    const other = await start(() => redirectTo(`${server.url}/chosen`));
    server.answer(redirectTo(other.url));
    const headers = { cookie: "a=b", "x-own": "1", "x-secret": "2" };
    await api.get(server.url, { headers, sensitiveHeaders: ["X-Secret"] });
    expect(credentialsOf(server)).toEqual([TASK_ID, undefined]);
    expect(credentialsOf(other)).toEqual([undefined]);
    const sent = ["cookie", "x-own", "x-secret"].map((name) =>
      headerOf(other.requests[0] ?? expect.fail(), name),
    );
    expect(sent).toEqual([undefined, "1", undefined]);
  });

  test("signs each redirect within the named origins again", async () => {
    const clock = { now: NOW };
    const [one, two] = [await start(), await start()];
    const { api } = await setUp({
      adapter,
      origins: [one.url, two.url],
      signer: new AssertionSigner({ now: () => (clock.now += 1000) }),
    });
    one.answer(redirectTo("/next", 307), redirectTo(two.url, 308));
    await api.post(one.url, "body");
    const requests = [...one.requests, ...two.requests];
    expect(requests.map((request) => request.body)).toEqual(["body", "body", "body"]);
    expect(new Set(requests.map((request) => headerOf(request, "authorization"))).size).toBe(3);
  });

  test("makes a GET of a redirected POST, and asks beforeRedirect", async () => {
    const { server, api } = await setUp({ adapter });
    server.answer(redirectTo("/next", 303));
    const seen: unknown[] = [];
    await api.post(server.url, "body", {
      beforeRedirect: (options, { statusCode }, { url }) => {
        seen.push(
          options.href,
          statusCode,
          url,
          JSON.stringify(options).includes("AgentAssertion"),
        );
        options.headers["x-added"] = "1";
      },
    });
    expect(server.requests[1]).toMatchObject({ method: "GET", url: "/next", body: "" });
    expect(headerOf(server.requests[1] ?? expect.fail(), "x-added")).toBe("1");
    expect(seen).toEqual([`${server.url}/next`, 303, `${server.url}/`, false]);
  });

  test("follows as many redirects as the caller allows", async () => {
    const { server, api } = await setUp({ adapter });
    server.answer(redirectTo("/a"), redirectTo("/b"), redirectTo("/c"), redirectTo("/d"));
    const error = await failureOf(() => api.get(server.url, { maxRedirects: 2 }));
    expect(error).toMatchObject({ code: "ERR_FR_TOO_MANY_REDIRECTS" });
    expect(server.requests).toHaveLength(3);
    const manual = { maxRedirects: 0, validateStatus: null };
    expect((await api.get(server.url, manual)).status).toBe(302);
  });

  test.each(["manual", "error"])(
    "follows none where the options of fetch say %j",
    async (redirect) => {
      const { server, api } = await setUp({ adapter });
      server.answer(redirectTo("/next"));
      const fetchOptions: object = { redirect };
      await failureOf(() => api.get(server.url, { fetchOptions }));
      expect(server.requests).toHaveLength(1);
    },
  );

  test("binds what it sends, and refuses a stream", async () => {
    const { server, api } = await setUp({ adapter, binding: true });
    await api.post(`${server.url}/v1/x`, form());
    const [request] = server.requests;
    const boundary = /boundary=(.+)$/.exec(
      headerOf(request ?? expect.fail(), "content-type") ?? "",
    )?.[1];
    expect(request?.body).toContain(boundary);
    expect(headerOf(request ?? expect.fail(), "signature-input")).toContain('"content-digest"');
    await expectFailure(() => api.post(server.url, Readable.from(["x"])), "invalid_request");
    expect(server.requests).toHaveLength(1);
  });
});
