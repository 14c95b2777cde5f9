import { AgentKeyError, type BearerCredential, type Credential } from "@countersign/agent-key";
import { headerOf } from "@countersign/testing";
import { Request as UndiciRequest, fetch as undiciFetch } from "undici";
import { afterEach, describe, expect, test, vi } from "vitest";
import { expectFailure, failureOf } from "../../test/expect-rejection.js";
import { AUTHORITY, membersOf, NOW, TASK_ID } from "../../test/fixtures.js";
import {
  credentialsOf,
  first,
  ScriptedSource,
  setUp,
  start,
  stopServers,
  streamOf,
} from "../../test/signed-fetch.js";
import { AssertionSigner } from "../sign/assertion-signer.js";
import { withAssertion } from "./with-assertion.js";

afterEach(stopServers);

describe("the origins of withAssertion", () => {
  test.each([
    "api.example",
    "http://api.example",
    "https://user:secret@api.example",
    "file:///tmp",
  ])("refuse %s", async (origin) => {
    const run = () => withAssertion(fetch, new ScriptedSource(), { origins: [origin] });
    const error = await failureOf(run);
    expect(AgentKeyError.is(error) && error.code).toBe("config_invalid");
    expect(String(error)).not.toContain("secret");
  });

  test("are compared as origins, whatever their path and case", async () => {
    const server = await start();
    const source = new ScriptedSource();
    const origins = [`${server.url.replace("http", "HTTP")}/v1/path?query`];
    await withAssertion(fetch, source, { origins })(`${server.url}/other`);
    expect(credentialsOf(server)).toEqual([TASK_ID]);
  });

  test("let a request to another origin pass untouched (G-C1)", async () => {
    const calls: unknown[][] = [];
    const spy: typeof fetch = async (...input) => {
      calls.push(input);
      return new Response("ok");
    };
    const source = new ScriptedSource();
    const api = withAssertion(spy, source, { origins: ["https://api.example"] });
    const init = { headers: { authorization: "Bearer x" } };
    for (const url of [
      "https://other.example/",
      "https://api.example.other.example/",
      "https://api.example:8443/",
      "http://api.example/",
      "https://api.example@other.example/",
      "no url",
    ]) {
      await api(url, init);
      expect(calls.pop()).toEqual([url, init]);
    }
    await api(new URL("https://other.example/"));
    await api(new Request("https://other.example/"));
    expect(calls).toHaveLength(2);
    expect(source.signals).toEqual([]);
  });
});

test("the fields of a request are copied once on their way to fetch", async () => {
  const copied = vi.fn();
  vi.stubGlobal(
    "Headers",
    class extends Headers {
      constructor(...input: ConstructorParameters<typeof Headers>) {
        super(...input);
        copied();
      }
    },
  );
  try {
    const sent: unknown[] = [];
    const answer = new Response("ok");
    const spy: typeof fetch = async (_, init) => {
      sent.push(init?.headers);
      return answer;
    };
    const api = withAssertion(spy, new ScriptedSource(), { origins: ["https://api.example"] });
    const headers = { accept: "text/plain", "x-api-key": "placeholder" };
    await api("https://api.example/", { headers });
    expect(copied).toHaveBeenCalledTimes(1);
    expect(sent).toEqual([
      [
        ["accept", "text/plain"],
        ["authorization", expect.stringMatching(/^AgentAssertion /)],
      ],
    ]);
    expect(headers["x-api-key"]).toBe("placeholder");
  } finally {
    vi.unstubAllGlobals();
  }
});

test("a request elsewhere, and one with its own header, may have a function for a body too", async () => {
  const { server, api } = await setUp();
  const other = await start();
  const body = () => streamOf("made");
  await api(other.url, { method: "POST", body });
  await api(server.url, { method: "POST", body, headers: { authorization: "own" } });
  expect([...other.requests, ...server.requests].map((request) => request.body)).toEqual([
    "made",
    "made",
  ]);
});

describe("a signed request", () => {
  test("carries an assertion made when it is sent, and leaves the rest as it was", async () => {
    const clock = { now: NOW };
    const { server, source, api } = await setUp({
      signer: new AssertionSigner({ now: () => clock.now }),
    });
    const response = await api(`${server.url}/v1/x?y=z`, {
      method: "POST",
      body: '{"a":1}',
      headers: { "content-type": "application/json", "x-own": "1" },
    });
    expect(await response.json()).toEqual({ ok: true });
    clock.now += 60_000;
    await api(new URL(server.url));
    const [one, two] = server.requests;
    expect(one).toMatchObject({ method: "POST", url: "/v1/x?y=z", body: '{"a":1}' });
    expect(headerOf(one ?? expect.fail(), "x-own")).toBe("1");
    expect(headerOf(one ?? expect.fail(), "content-type")).toBe("application/json");
    const times = [one, two].map(
      (request) => membersOf(headerOf(request ?? expect.fail(), "authorization") ?? "").timestamp,
    );
    expect(times).toEqual(["2026-04-15T17:08:09Z", "2026-04-15T17:09:09Z"]);
    expect(source.heard).toEqual([
      ["accepted", first, server.url],
      ["accepted", first, server.url],
    ]);
  });

  test("may be a Request, changed by options as fetch has it", async () => {
    const { server, api } = await setUp();
    const request = new Request(`${server.url}/r`, {
      method: "PUT",
      body: "body",
      headers: { "x-own": "1" },
    });
    await api(request);
    await api(new Request(server.url, { headers: { "x-own": "1" } }), {
      headers: { "x-own": "2" },
    });
    expect(server.requests[0]).toMatchObject({ method: "PUT", url: "/r", body: "body" });
    expect(server.requests.map((request) => headerOf(request, "x-own"))).toEqual(["1", "2"]);
    expect(credentialsOf(server)).toEqual([TASK_ID, TASK_ID]);
  });

  test("may go through another fetch, with that one's Request", async () => {
    const server = await start();
    const api = withAssertion(undiciFetch as unknown as typeof fetch, new ScriptedSource(), {
      origins: [server.url],
    });
    const request = new UndiciRequest(server.url, { headers: { "x-own": "1" } });
    await api(request as unknown as Request);
    expect(credentialsOf(server)).toEqual([TASK_ID]);
    expect(headerOf(server.requests[0] ?? expect.fail(), "x-own")).toBe("1");
  });

  test("goes where its origin was checked, even if the caller changes its URL afterwards (G-C1)", async () => {
    const { server, api } = await setUp();
    const elsewhere = await start();
    const url = new URL(`${server.url}/mine`);
    const call = api(url);
    url.port = new URL(elsewhere.url).port;
    await call;
    expect(server.requests[0]?.url).toBe("/mine");
    expect(elsewhere.requests).toEqual([]);
  });

  test("is not signed for what an object calls its url when fetch reads another from it", async () => {
    const { server, source, api } = await setUp();
    const elsewhere = await start();
    const input = { url: server.url, headers: new Headers(), toString: () => elsewhere.url };
    await api(input as unknown as Request);
    expect(server.requests).toEqual([]);
    expect(credentialsOf(elsewhere)).toEqual([undefined]);
    expect(source.signals).toEqual([]);
  });

  test("is not sent when there is no credential (G-C7)", async () => {
    const { server, source, api } = await setUp();
    const failure = new Error("no task");
    source.credential = () => Promise.reject(failure);
    expect(await failureOf(() => api(server.url))).toBe(failure);
    expect(server.requests).toEqual([]);
  });

  test("hands its signal to the source", async () => {
    const { server, source, api } = await setUp();
    const { signal } = new AbortController();
    await api(server.url, { signal });
    await api(server.url);
    expect(source.signals).toEqual([signal, undefined]);
    await api(new Request(server.url, { signal }));
    expect(source.signals[2]).toBeInstanceOf(AbortSignal);
  });

  test("rejects with its signal's own reason, whatever the source makes of it", async () => {
    const { server, source, api } = await setUp();
    const controller = new AbortController();
    const { signal } = controller;
    const reason = new Error("no longer wanted");
    source.credential = async () => {
      controller.abort(reason);
      throw new Error("the caller ended it");
    };
    expect(await failureOf(() => api(server.url, { signal }))).toBe(reason);
    expect(server.requests).toEqual([]);
  });

  test("replaces the Authorization of a Request too", async () => {
    const { server, api } = await setUp();
    const headers = { authorization: "Bearer own-secret", "x-api-key": "own-secret", "x-own": "1" };
    await api(new Request(server.url, { headers }));
    expect(credentialsOf(server)).toEqual([TASK_ID]);
    const [request = expect.fail()] = server.requests;
    expect(headerOf(request, "x-own")).toBe("1");
    expect(headerOf(request, "x-api-key")).toBeUndefined();
  });

  test("warns by process.emitWarning, once each, without onWarning, and gives it the same codes", async () => {
    const [server, other] = [await start(), await start()];
    const onWarning = vi.fn();
    const emitWarning = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    try {
      for (const options of [{}, { onWarning }]) {
        const origins = [server.url];
        const api = withAssertion(fetch, new ScriptedSource(), { origins, ...options });
        for (let i = 0; i < 2; i += 1) {
          await api(server.url, { headers: { authorization: "x" } });
          await api(other.url);
        }
      }
      expect(emitWarning.mock.calls).toEqual([
        [expect.stringContaining(server.url), { code: "COUNTERSIGN_OWN_AUTHORIZATION" }],
        [expect.stringContaining(other.url), { code: "COUNTERSIGN_UNNAMED_ORIGIN" }],
      ]);
      expect(onWarning.mock.calls).toEqual([
        [expect.stringContaining(server.url), "COUNTERSIGN_OWN_AUTHORIZATION"],
        [expect.stringContaining(other.url), "COUNTERSIGN_UNNAMED_ORIGIN"],
      ]);
    } finally {
      emitWarning.mockRestore();
    }
  });
});

describe("a human's bearer", () => {
  const bearer: BearerCredential = {
    kind: "bearer",
    authority: AUTHORITY,
    accessToken: "human-secret",
    reason: "fallback",
    origins: [],
  };

  test.each(["fallback", "feature_off"] as const)(
    "goes to the origins that it names: %s",
    async (reason) => {
      const { server, source, api } = await setUp();
      source.current = { ...bearer, reason, origins: [`${server.url}/`] };
      await api(server.url);
      expect(credentialsOf(server)).toEqual(["Bearer human-secret"]);
    },
  );

  test.each([[[]], [["https://api.example"]]])(
    "of a fallback for %j: nothing is sent, and the registration's error is thrown (G-C8)",
    async (origins) => {
      const { server, source, api } = await setUp();
      const error = new AgentKeyError("unreachable", "the authority is away", { retryable: true });
      source.current = { ...bearer, origins, error };
      await expect(api(server.url)).rejects.toBe(error);
      source.current = { ...bearer, origins };
      const own = await expectFailure(() => api(server.url), "unauthenticated");
      expect(own.message).not.toContain("human-secret");
      expect(server.requests).toEqual([]);
    },
  );

  test("with the feature off leaves a request to any other origin as its caller made it (G-C8)", async () => {
    const { server, source, api } = await setUp();
    for (const origins of [[], ["https://api.example"]]) {
      source.current = { ...bearer, reason: "feature_off", origins };
      await api(server.url);
    }
    source.current = { kind: "none", reason: "feature_off" };
    await api(server.url, { headers: { "x-own": "1" } });
    expect(credentialsOf(server)).toEqual([undefined, undefined, undefined]);
    expect(headerOf(server.requests[2] ?? expect.unreachable(), "x-own")).toBe("1");
  });

  test.each<[string, Credential]>([
    ["the feature is off", { kind: "none", reason: "feature_off" }],
    ["the feature is off, and the token may not go there", { ...bearer, reason: "feature_off" }],
  ])(
    "is no matter of fetch while %s: it gets the caller's own arguments",
    async (_, credential) => {
      const calls: unknown[][] = [];
      const spy: typeof fetch = async (...input) => {
        calls.push(input);
        return new Response("ok");
      };
      const source = new ScriptedSource();
      source.current = credential;
      const api = withAssertion(spy, source, { origins: ["https://api.example"], binding: true });
      const init = { method: "POST", body: streamOf("body"), duplex: "half" } as const;
      const request = new Request("https://api.example/", { ...init, redirect: "error" });
      const url = new URL("https://api.example/");
      await api(url, init);
      await api(request);
      expect(calls[0]?.[0]).toBe(url);
      expect(calls[0]?.[1]).toBe(init);
      expect(calls[1]?.[0]).toBe(request);
      expect(calls[1]?.[1]).toBeUndefined();
      expect([init.body.locked, request.bodyUsed]).toEqual([false, false]);
    },
  );

  test.each(["human-secret\n", "", "human secret"])(
    "is not sent as %j, nor shown",
    async (accessToken) => {
      const { server, source, api } = await setUp();
      source.current = { ...bearer, accessToken, origins: [server.url] };
      const error = await expectFailure(() => api(server.url), "unauthenticated");
      expect(error.message).not.toContain(accessToken === "" ? "Bearer" : accessToken);
      expect(server.requests).toEqual([]);
    },
  );
});
