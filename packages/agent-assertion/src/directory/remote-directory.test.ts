import { AgentKeyError } from "@countersign/agent-key";
import { platformFetch } from "@countersign/agent-key/platform-fetch";
import { createProblem } from "@countersign/agent-key/problem";
import { headerOf, startTestUpstream, type UpstreamAnswer } from "@countersign/testing";
import { afterEach, describe, expect, test, vi } from "vitest";
import {
  AGENT_PATH,
  closeAll,
  open,
  setUp,
  unavailable,
  unknownAgent,
} from "../../test/directory-scene.js";
import { expectFailure, failureOf } from "../../test/expect-rejection.js";
import { AGENT_ID, agent, TASK_ID, task } from "../../test/fixtures.js";
import { createDirectoryRecord } from "../schema/directory-record.js";
import { remoteDirectory } from "./remote-directory.js";

afterEach(closeAll);

describe("the options of a remote directory", () => {
  test.each(["authority.example", "ftp://authority.example", "http://authority.example"])(
    "refuse the authority %s",
    async (authority) => {
      const error = await failureOf(() => remoteDirectory(authority));
      expect(AgentKeyError.is(error) && error.code).toBe("config_invalid");
    },
  );

  test.each([
    { revocationDelaySeconds: 31 },
    { revocationDelaySeconds: -1 },
    { revocationDelaySeconds: Number.NaN },
    { staleIfErrorSeconds: -1 },
    { staleIfErrorSeconds: Number.POSITIVE_INFINITY },
    { maxEntries: 0 },
    { deadlineMs: 0 },
    { token: "cs_rs_x\n" },
    { token: "" },
  ])("refuse %j", async (options) => {
    const run = () => remoteDirectory("https://authority.example", options);
    const error = await expectFailure(run, "config_invalid");
    expect(error.message).not.toContain("cs_rs_x");
  });

  test("allow plain http to another machine only by name", async () => {
    const directory = remoteDirectory("http://authority.example/base/", { insecureHttp: true });
    expect(directory.authority).toBe("http://authority.example/base");
    await directory.close?.();
  });
});

test("a lookup for a request gives the authority its id, and no id that a server would not take", async () => {
  const { directory, upstream } = await setUp({ revocationDelaySeconds: 0 });
  await directory.agent(AGENT_ID, { requestId: "req-1" });
  await directory.task(AGENT_ID, TASK_ID, { requestId: "req-2" });
  await directory.agent(AGENT_ID, { requestId: "a\r\nb" });
  await directory.agent(AGENT_ID);
  const ids = upstream.requests.map((request) => headerOf(request, "x-request-id"));
  expect(ids).toEqual(["req-1", "req-2", undefined, undefined]);
});

test("a directory says how many records it keeps", async () => {
  const { directory } = await setUp();
  expect(directory.kept()).toEqual({ agents: 0, tasks: 0 });
  await directory.agent(AGENT_ID);
  await directory.task(AGENT_ID, TASK_ID);
  expect(directory.kept()).toEqual({ agents: 1, tasks: 1 });
});

describe("an answer that is no record", () => {
  const good = createDirectoryRecord(agent);
  test.each<[string, string, UpstreamAnswer]>([
    ["bad_response", "HTML", { headers: { "content-type": "text/html" }, body: "<p>" }],
    ["bad_response", "no content type", { body: JSON.stringify(good) }],
    ["bad_response", "broken JSON", { headers: { "content-type": "application/json" }, body: "{" }],
    ["bad_response", "another form", { body: { agent_runtime_id: AGENT_ID } }],
    ["bad_response", "another agent", { body: { ...good, agent_runtime_id: "agent-2" } }],
    ["bad_response", "201", { status: 201, body: good }],
    ["bad_response", "204", { status: 204 }],
    ["bad_response", "304 that was not asked for", { status: 304 }],
    ["bad_response", "more than 1 MiB", { body: { ...good, more: "x".repeat(1024 * 1024) } }],
    ["unauthenticated", "401", createProblem("unauthenticated")],
    ["unauthenticated", "401 without a code", { status: 401 }],
    ["forbidden", "403 without a code", { status: 403 }],
    ["invalid_request", "404 without a code", { status: 404 }],
    [
      "invalid_request",
      "404 with an unknown code",
      {
        status: 404,
        body: '{"code":"gone"}',
        headers: { "content-type": "application/problem+json" },
      },
    ],
    [
      "invalid_request",
      "404 with a code in its member error alone",
      {
        status: 404,
        body: '{"error":{"code":"unknown_agent"}}',
        headers: { "content-type": "application/problem+json" },
      },
    ],
    [
      "invalid_request",
      "404 with a text that is no problem",
      { status: 404, body: "1", headers: { "content-type": "application/problem+json" } },
    ],
    ["refused", "418", { status: 418 }],
    ["rate_limited", "429", { status: 429 }],
    ["server_error", "500", { status: 500 }],
    ["server_error", "503 whatever its code", createProblem("unknown_agent", "", { status: 503 })],
    ["unreachable", "a connection that ends", { kind: "reset" }],
  ])("is %s: %s", async (code, _, answer) => {
    const scene = await setUp();
    scene.answer = answer;
    const error = await expectFailure(scene.readAgent, code);
    expect(error.retryable).toBe(["rate_limited", "server_error", "unreachable"].includes(code));
    await expectFailure(scene.readTask, code);
  });

  test("is bad_response: another task", async () => {
    const scene = await setUp();
    scene.task = { ...task, taskId: "task-2" };
    await expectFailure(scene.readTask, "bad_response");
  });

  test("is timeout: none until the deadline, before or within the body", async () => {
    const scene = await setUp({ deadlineMs: 50 });
    const never = new Promise<never>(() => {});
    scene.answer = { kind: "hold", until: never };
    expect((await expectFailure(scene.readAgent, "timeout")).retryable).toBe(true);
    const events = {
      async *[Symbol.asyncIterator]() {
        yield "x";
        await never;
      },
    };
    scene.answer = { kind: "events", events };
    await expectFailure(scene.readAgent, "timeout");
  });

  test("is unreachable: no server listens", async () => {
    const scene = await setUp();
    await scene.upstream.close();
    await expectFailure(scene.readAgent, "unreachable");
  });

  test("is unreachable: the directory was closed before its first question, or while that is made", async () => {
    const scene = await setUp();
    const asked = scene.readAgent();
    await Promise.all([expectFailure(() => asked, "unreachable"), scene.directory.close?.()]);
    await expectFailure(scene.readTask, "unreachable");
    expect(scene.asked()).toEqual([]);
  });

  test("is bad_response: a redirect, and it is not followed (G-C6)", async () => {
    const scene = await setUp({ token: "cs_rs_secret" });
    const other = await startTestUpstream();
    open.push(other);
    scene.answer = { status: 307, headers: { location: `${other.url}/v1/agent/${AGENT_ID}` } };
    await expectFailure(scene.readAgent, "bad_response");
    expect(other.requests).toEqual([]);
  });

  test("is not kept: the next lookup asks again", async () => {
    const scene = await setUp();
    scene.answer = unavailable;
    await expectFailure(scene.readAgent, "server_error");
    scene.answer = undefined;
    expect((await scene.readAgent())?.state).toBe("active");
  });
});

describe("a question", () => {
  test("is not asked about what is no id", async () => {
    const scene = await setUp();
    expect(await scene.directory.agent("../whoami")).toBeUndefined();
    expect(await scene.directory.task(AGENT_ID, "..")).toBeUndefined();
    expect(await scene.directory.task("a/b", TASK_ID)).toBeUndefined();
    expect(scene.asked()).toEqual([]);
  });

  test("carries the token, and percent-encodes ids below the base path", async () => {
    const upstream = await startTestUpstream(() => unknownAgent);
    const directory = remoteDirectory(`${upstream.url}/backend-api/`, { token: "cs_rs_secret" });
    open.push(directory, upstream);
    await directory.agent("a&b=[c]^|");
    await directory.task("a&b", "t=1");
    expect(upstream.requests.map((request) => request.url)).toEqual([
      "/backend-api/v1/agent/a%26b%3D%5Bc%5D%5E%7C",
      "/backend-api/v1/agent/a%26b/task/t%3D1",
    ]);
    for (const request of upstream.requests) {
      expect(headerOf(request, "authorization")).toBe("Bearer cs_rs_secret");
    }
  });

  test("goes without a credential when there is no token, by the fetch that was given", async () => {
    const fetch = vi.fn(platformFetch);
    const scene = await setUp({ fetch });
    await scene.readAgent();
    expect(headerOf(scene.upstream.requests[0] ?? expect.fail(), "authorization")).toBeUndefined();
    expect(fetch).toHaveBeenCalledOnce();
  });

  test("that a fetch never answers ends with the deadline, also if it ignores its signal", async () => {
    const scene = await setUp({ deadlineMs: 1, fetch: () => new Promise(() => undefined) });
    await expectFailure(scene.readAgent, "timeout");
  });

  test("waits for one of 16 that are under way, and ends with the directory", async () => {
    const held = Promise.withResolvers<void>();
    const scene = await setUp();
    scene.answer = { kind: "hold", until: held.promise, answer: unknownAgent };
    const lookups = Array.from({ length: 20 }, (_, index) =>
      scene.directory.agent(`agent-${index}`).catch((error: unknown) => error),
    );
    await expect.poll(() => scene.upstream.requests.length).toBeGreaterThanOrEqual(16);
    expect(scene.upstream.requests).toHaveLength(16);
    await scene.directory.close?.();
    for (const failure of await Promise.all(lookups)) {
      expect(failure).toMatchObject({ code: "unreachable" });
    }
    expect(scene.upstream.requests).toHaveLength(16);
    held.resolve();
    await expectFailure(scene.readAgent, "unreachable");
  });

  test("is asked once for everybody who waits", async () => {
    const scene = await setUp();
    const held = Promise.withResolvers<void>();
    scene.upstream.answer({ kind: "hold", until: held.promise, answer: scene.record(AGENT_PATH) });
    const lookups = [scene.readAgent(), scene.readAgent(), scene.readAgent()];
    held.resolve();
    const records = await Promise.all(lookups);
    expect(new Set(records).size).toBe(1);
    expect(scene.asked()).toEqual([AGENT_PATH]);
  });

  test("is asked again when the question under way is older than the revocation delay", async () => {
    const scene = await setUp();
    const held = Promise.withResolvers<void>();
    scene.upstream.answer({ kind: "hold", until: held.promise, answer: scene.record(AGENT_PATH) });
    const early = scene.readAgent();
    scene.agent = { ...agent, state: "revoked" };
    scene.clock.advance(15_001);
    expect((await scene.readAgent())?.state).toBe("revoked");
    held.resolve();
    // The older answer, arriving later, does not undo the newer one.
    expect((await early)?.state).toBe("revoked");
    expect((await scene.readAgent())?.state).toBe("revoked");
    expect(scene.asked()).toEqual([AGENT_PATH, AGENT_PATH]);
  });

  test("that was overtaken is answered to its own caller also where what overtook it is kept no more", async () => {
    const scene = await setUp({ maxEntries: 1 });
    const held = Promise.withResolvers<void>();
    scene.upstream.answer({ kind: "hold", until: held.promise, answer: scene.record(AGENT_PATH) });
    const early = scene.readAgent();
    scene.clock.advance(15_001);
    await scene.readAgent();
    scene.agent = { ...agent, agentRuntimeId: "agent-2" };
    await scene.directory.agent("agent-2");
    held.resolve();
    expect(await early).toMatchObject({ agentRuntimeId: AGENT_ID, state: "active" });
  });

  test("that was overtaken brings back no record that the later answer did not know", async () => {
    const scene = await setUp();
    const held = Promise.withResolvers<void>();
    scene.upstream.answer({ kind: "hold", until: held.promise, answer: scene.record(AGENT_PATH) });
    const early = scene.readAgent();
    scene.clock.advance(15_001);
    scene.answer = unknownAgent;
    expect(await scene.readAgent()).toBeUndefined();
    held.resolve();
    expect(await early).toBeUndefined();
    expect(await scene.readAgent()).toBeUndefined();
  });

  test("goes on for the others when one caller gives up", async () => {
    const scene = await setUp();
    const held = Promise.withResolvers<void>();
    scene.upstream.answer({ kind: "hold", until: held.promise, answer: scene.record(AGENT_PATH) });
    const caller = new AbortController();
    const impatient = scene.directory.agent(AGENT_ID, { signal: caller.signal });
    const patient = scene.directory.agent(AGENT_ID, { signal: new AbortController().signal });
    caller.abort();
    await expectFailure(() => impatient, "cancelled");
    await expectFailure(
      () => scene.directory.agent(AGENT_ID, { signal: caller.signal }),
      "cancelled",
    );
    held.resolve();
    expect((await patient)?.agentRuntimeId).toBe(AGENT_ID);
  });
});
