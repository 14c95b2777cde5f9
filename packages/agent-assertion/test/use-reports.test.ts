import { createProblem } from "@countersign/agent-key/problem";
import {
  headerOf,
  startTestUpstream,
  type UpstreamAnswer,
  type UpstreamRequest,
} from "@countersign/testing";
import { afterEach, describe, expect, it } from "vitest";
import { createDirectoryRecord, createVerifier, signAssertion } from "../src/index.js";
import {
  type RemoteDirectoryOptions,
  remoteDirectory,
  type UseReportEvent,
} from "../src/remote-directory.js";
import { closeAll, open, unavailable } from "./directory-scene.js";
import { expectFailure, expectRejection } from "./expect-rejection.js";
import { AGENT_ID, agent, header, key, NOW, TASK_ID, TIMESTAMP, task } from "./fixtures.js";

afterEach(closeAll);

// Short enough for a test. What is tested with it holds for every time.
const OFTEN = 0.01;
const SELDOM = 3600;
const USES = {
  uses: [
    { agent_runtime_id: AGENT_ID, seconds_ago: 0 },
    { agent_runtime_id: AGENT_ID, task_id: TASK_ID, seconds_ago: 0 },
  ],
};

/** An authority, and a verifier that reports to it. */
async function setUp(options: RemoteDirectoryOptions = {}) {
  const clock = { now: NOW };
  const reports: UpstreamRequest[] = [];
  const events: UseReportEvent[] = [];
  const answers: UpstreamAnswer[] = [];
  const upstream = await startTestUpstream((request) => {
    if (request.url.startsWith("/v1/agent")) {
      return {
        body: createDirectoryRecord(agent, request.url.includes("task") ? task : undefined),
      };
    }
    reports.push(request);
    return answers.shift() ?? { body: {} };
  });
  const directory = remoteDirectory(upstream.url, {
    token: "cs_rs_x",
    onUseReport: (event) => events.push(event),
    now: () => clock.now,
    ...options,
  });
  open.push(directory, upstream);
  const verifier = createVerifier({ directory, now: () => NOW });
  const bodies = () => reports.map(({ body }) => JSON.parse(body));
  return { clock, upstream, directory, verifier, reports, bodies, events, answers };
}

describe("a verifier with a remote directory", () => {
  it.each([-1, 3601, Number.NaN])("refuses to report every %s seconds", async (every) => {
    const run = () => remoteDirectory("https://authority.example", { useReportSeconds: every });
    await expectFailure(run, "config_invalid");
  });

  it("reports the agent and the task of what it accepted, and of nothing else (G-M15)", async () => {
    const { verifier, reports, bodies, events } = await setUp({ useReportSeconds: OFTEN });
    const ids = { agentRuntimeId: AGENT_ID, taskId: "task-2" };
    const other = signAssertion({ ...ids, key, timestamp: TIMESTAMP });
    await expectRejection(() => verifier.verify(other.slice(0, -4)), "malformed");
    await verifier.verify(header);
    await expect.poll(() => events).toEqual([{ outcome: "sent", uses: 2, dropped: 0 }]);
    expect(bodies()).toEqual([USES]);
    const [request] = reports;
    expect(request?.url).toBe("/v1/assertion/uses");
    expect(request?.method).toBe("POST");
    expect(request && headerOf(request, "authorization")).toBe("Bearer cs_rs_x");
    expect(request && headerOf(request, "content-type")).toBe("application/json");
  });

  it("says how long ago it was, by one clock, whatever that clock says", async () => {
    const { verifier, directory, clock, bodies } = await setUp({ useReportSeconds: SELDOM });
    await verifier.verify(header);
    clock.now += 42_500;
    await directory.close?.();
    expect(bodies()[0].uses[0].seconds_ago).toBe(42);
    const early = await setUp({ useReportSeconds: SELDOM });
    await early.verifier.verify(header);
    early.clock.now -= 3_600_000;
    await early.directory.close?.();
    expect(early.bodies()[0].uses[0].seconds_ago).toBe(0);
  });

  it("reports nothing if it is told so", async () => {
    const { verifier, directory, reports } = await setUp({ useReportSeconds: 0 });
    expect(directory.noteUse).toBeUndefined();
    await verifier.verify(header);
    await directory.close?.();
    expect(reports).toEqual([]);
  });

  it("waits for no report, and has one under way at a time", async () => {
    const { verifier, reports, answers, events } = await setUp({ useReportSeconds: OFTEN });
    const held = Promise.withResolvers<void>();
    answers.push({ kind: "hold", until: held.promise, answer: { body: {} } });
    await verifier.verify(header);
    await expect.poll(() => reports.length).toBe(1);
    const before = events.length;
    for (let i = 0; i < 50; i += 1) await verifier.verify(header);
    expect([before, reports.length]).toEqual([0, 1]);
    held.resolve();
    await expect.poll(() => events.length).toBeGreaterThan(1);
    expect(reports).toHaveLength(events.length);
  });

  it.each<[string, UpstreamAnswer]>([
    ["server_error", unavailable],
    ["rate_limited", createProblem("rate_limited")],
    ["unreachable", { kind: "reset" }],
  ])("reports again what was not taken because of %s", async (code, answer) => {
    const { verifier, answers, bodies, events } = await setUp({ useReportSeconds: OFTEN });
    answers.push(answer);
    await verifier.verify(header);
    await expect.poll(() => events.at(-1)?.outcome).toBe("sent");
    expect(events[0]).toEqual({ outcome: "failed", uses: 2, dropped: 0, code });
    expect(bodies().at(-1)).toEqual(USES);
  });

  it.each<[string, UpstreamAnswer]>([
    ["unauthenticated", createProblem("unauthenticated")],
    ["forbidden", createProblem("forbidden")],
    ["invalid_request", { status: 404 }],
    ["bad_response", { status: 204 }],
  ])("drops and counts what was refused as %s, and serves on", async (code, answer) => {
    const { verifier, directory, answers, bodies, events } = await setUp({
      useReportSeconds: OFTEN,
    });
    answers.push(answer);
    await verifier.verify(header);
    await expect
      .poll(() => events.at(-1))
      .toEqual({ outcome: "failed", uses: 2, dropped: 2, code });
    await verifier.verify(header);
    await directory.close?.();
    expect(bodies().at(-1)).toEqual(USES);
  });

  it("verifies as before while the authority takes no report", async () => {
    const { verifier, upstream, events } = await setUp({ useReportSeconds: OFTEN });
    await verifier.verify(header);
    await upstream.close();
    await expect.poll(() => events.at(-1)?.outcome).toBe("failed");
    await expect(verifier.verify(header)).resolves.toMatchObject({ agentRuntimeId: AGENT_ID });
  });
});

describe("a remote directory that is closed", () => {
  it("reports what waits, and nothing that comes later", async () => {
    const { verifier, directory, bodies } = await setUp({ useReportSeconds: SELDOM });
    await verifier.verify(header);
    await Promise.all([directory.close?.(), directory.close?.()]);
    directory.noteUse?.(AGENT_ID, TASK_ID);
    await directory.close?.();
    expect(bodies()).toEqual([USES]);
  });

  it("waits a second at most for an authority that does not answer", async () => {
    const { verifier, directory, answers, events } = await setUp({ useReportSeconds: SELDOM });
    const held = Promise.withResolvers<void>();
    answers.push({ kind: "hold", until: held.promise });
    await verifier.verify(header);
    const start = performance.now();
    await directory.close?.();
    expect(performance.now() - start).toBeLessThan(20_000);
    await expect.poll(() => events.at(-1)?.code).toBe("unreachable");
    held.resolve();
  });
});

it("a process with uses that wait for their report ends by itself", async () => {
  const { verifier } = await setUp({ useReportSeconds: SELDOM });
  await verifier.verify(header);
  const timers = process.getActiveResourcesInfo().filter((name) => name === "Timeout");
  const { directory } = {
    directory: remoteDirectory("http://127.0.0.1:9", { useReportSeconds: 9 }),
  };
  directory.noteUse?.(AGENT_ID, TASK_ID);
  // A timer that keeps the process alive would be among these.
  const after = process.getActiveResourcesInfo().filter((name) => name === "Timeout");
  expect(after.length).toBe(timers.length);
});
