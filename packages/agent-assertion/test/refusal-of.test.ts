import { AgentKeyError } from "@countersign/agent-key";
import { afterEach, describe, expect, test } from "vitest";
import { refusalOf, withAssertion } from "../src/fetch.js";
import { AgentAssertionError } from "../src/index.js";
import { failureOf } from "./expect-rejection.js";
import {
  refusal as refusedTask,
  ScriptedSource,
  setUp,
  start,
  stopServers,
  streamOf,
} from "./signed-fetch.js";

afterEach(stopServers);

const revoked = new AgentKeyError("agent_revoked", "the agent was revoked", {
  hint: "ask its operator",
});
const refusing = (error: unknown) => () => Promise.reject(error);

function chained(length: number): unknown {
  return Array.from({ length }).reduce((cause) => new Error("outer", { cause }), revoked);
}

function endless(): object {
  return {
    get cause() {
      return endless();
    },
  };
}

describe("refusalOf", () => {
  const cyclic = new Error("a cycle");
  cyclic.cause = { cause: cyclic, lastError: cyclic };
  const throwing = {
    get cause() {
      throw new Error("no cause");
    },
  };
  test.each<[string, unknown]>([
    ["nothing", undefined],
    ["a text", "agent_revoked"],
    ["another error", new TypeError("fetch failed", { cause: new Error("ECONNRESET") })],
    ["a cycle", cyclic],
    ["a cause that cannot be read", throwing],
    ["what merely has its members", { code: "agent_revoked", retryable: false, hint: "x" }],
    ["causes without end", endless()],
  ])("finds none in %s", (_, value) => {
    expect(refusalOf(value)).toBeUndefined();
  });

  test.each<[string, unknown]>([
    ["itself", revoked],
    ["a cause", new TypeError("fetch failed", { cause: revoked })],
    ["a long chain of causes", chained(5000)],
    ["a cause of a cause", new Error("a", { cause: new Error("b", { cause: revoked }) })],
    [
      "one of several errors",
      new AggregateError([new Error("a"), new Error("b", { cause: revoked })]),
    ],
    ["the errors of a retry", { errors: [new Error("a")], lastError: { cause: revoked } }],
    ["a cycle", { cause: { cause: cyclic, lastError: revoked } }],
    ["behind a cause that cannot be read", { errors: [throwing, revoked] }],
  ])("finds it in %s", (_, value) => {
    expect(refusalOf(value)).toBe(revoked);
  });
});

describe('with refusals: "respond"', () => {
  test("a final error is answered with a problem, and nothing is sent", async () => {
    const { server, source, api } = await setUp({ refusals: "respond" });
    source.credential = refusing(revoked);
    const response = await api(server.url);
    expect(response.status).toBe(403);
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    expect(response.headers.get("x-should-retry")).toBe("false");
    expect(await response.json()).toEqual({
      title: "Forbidden",
      status: 403,
      code: "agent_revoked",
      detail: "the agent was revoked: ask its operator",
      error: {
        message: "the agent was revoked: ask its operator",
        type: "permission_error",
        code: "agent_revoked",
      },
    });
    expect(response.statusText).toBe("Forbidden");
    expect(server.requests).toEqual([]);
  });

  test("its answer is known by the response and by its headers, also in an SDK's error", async () => {
    const { server, source, api } = await setUp({ refusals: "respond" });
    source.credential = refusing(revoked);
    const response = await api(server.url);
    for (const value of [
      response,
      response.headers,
      Object.assign(new Error("403"), { headers: response.headers }),
      Object.assign(new Error("403"), { response }),
      new Error("outer", { cause: Object.assign(new Error("403"), { response }) }),
    ]) {
      expect(refusalOf(value)).toBe(revoked);
    }
  });

  test("a server's copy of it is not known (G-C3)", async () => {
    const { server, source, api } = await setUp({ refusals: "respond" });
    const credential = source.credential;
    source.credential = refusing(revoked);
    const own = await api(server.url);
    source.credential = credential;
    server.answer({
      status: 403,
      headers: Object.fromEntries(own.headers),
      body: await own.text(),
    });
    const copy = await api(server.url);
    expect([copy.status, copy.headers.get("x-should-retry")]).toEqual([403, "false"]);
    expect(refusalOf(copy)).toBeUndefined();
    expect(refusalOf(Object.assign(new Error("403"), { headers: copy.headers }))).toBeUndefined();
  });

  test("a final error that follows a server's 401 is answered too", async () => {
    const { server, source, api } = await setUp({ refusals: "respond" });
    source.refused = refusing(revoked);
    server.answer(refusedTask);
    expect(refusalOf(await api(server.url))).toBe(revoked);
  });

  test.each([
    ["elsewhere", "refuse", {}],
    ["ownAuthorization", "refuse", { headers: { authorization: "own" } }],
    ["binding", true, { method: "POST", body: streamOf("x"), duplex: "half" } as const],
  ])("what %s refuses is answered too", async (name, value, init) => {
    const { server, api } = await setUp({ refusals: "respond", [name]: value });
    const other = await start();
    const response = await api(name === "elsewhere" ? other.url : server.url, init);
    expect(refusalOf(response)?.code).toBe("invalid_request");
    expect([...server.requests, ...other.requests]).toEqual([]);
  });

  test("a server's 401 and 403 are handed up as they are (G-C3)", async () => {
    const { server, api } = await setUp({ refusals: "respond" });
    server.answer(refusedTask, { status: 403, body: "no" });
    const [one, two] = [await api(server.url), await api(server.url)];
    expect([one.status, two.status, await two.text()]).toEqual([401, 403, "no"]);
    expect([refusalOf(one), refusalOf(two)]).toEqual([undefined, undefined]);
  });

  test.each<[string, Error]>([
    ["that is temporary", new AgentKeyError("unreachable", "away", { retryable: true })],
    ["of a cancelled wait", new AgentAssertionError("cancelled", "the caller ended it")],
    ["of anything else", new TypeError("a defect")],
  ])("an error %s rejects", async (_, error) => {
    const { server, source, api } = await setUp({ refusals: "respond" });
    source.credential = refusing(error);
    expect(await failureOf(() => api(server.url))).toBe(error);
  });

  test("an aborted call rejects with its signal's reason", async () => {
    const { server, source, api } = await setUp({ refusals: "respond" });
    const controller = new AbortController();
    const reason = new Error("no longer wanted");
    source.credential = async () => {
      controller.abort(reason);
      throw revoked;
    };
    expect(await failureOf(() => api(server.url, { signal: controller.signal }))).toBe(reason);
  });

  test("a connection that fails rejects as fetch has it", async () => {
    const { server, api } = await setUp({ refusals: "respond" });
    server.answer({ kind: "reset" });
    expect(await failureOf(() => api(server.url))).toBeInstanceOf(TypeError);
  });
});

test("by default a final error rejects, and is found in what wraps it", async () => {
  const { server, source, api } = await setUp();
  source.credential = refusing(revoked);
  const error = await failureOf(() => api(server.url));
  expect(error).toBe(revoked);
  expect(refusalOf(new Error("Connection error.", { cause: error }))).toBe(revoked);
});

test("another value of refusals is config_invalid", async () => {
  const options = { origins: ["https://api.example"], refusals: "answer" as "respond" };
  const error = await failureOf(() => withAssertion(fetch, new ScriptedSource(), options));
  expect(AgentAssertionError.is(error) && [error.code, error.message]).toEqual([
    "config_invalid",
    'refusals must be "reject" or "respond", got another text',
  ]);
});
