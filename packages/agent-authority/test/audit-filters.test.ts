import { AgentKey } from "@countersign/agent-key";
import { expectRejection } from "@countersign/testing/vitest";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AgentAuthorityError, type AuditEvent, type AuditFilter } from "../src/index.js";
import { remoteRegistry } from "../src/remote-registry.js";
import { NOON, TestedAuthority } from "./start-authority.js";

const MINUTE = 60_000;

describe("the audit log is narrowed", () => {
  let tested: TestedAuthority;
  let all: readonly AuditEvent[];
  let taskId: string;

  beforeAll(async () => {
    tested = await TestedAuthority.start();
    const { registry } = tested.authority;
    const one = await tested.agent("user-1");
    await tested.registerTask(one.id, one.key, { "x-request-id": "request-1" });
    tested.clock.nowMs = NOON + 30 * MINUTE;
    const two = await tested.agent("user-2");
    await tested.registerTask(two.id, AgentKey.generate());
    tested.clock.nowMs = NOON + 60 * MINUTE;
    await registry.revokeAgent(two.id);
    taskId = (await registry.listTasks())[0]?.taskId ?? expect.unreachable();
    all = await registry.listAuditEvents();
    expect(all.length).toBeGreaterThan(7);
  });

  afterAll(() => tested[Symbol.asyncDispose]());

  it("by nothing that is not a number or a time", async () => {
    const { registry } = tested.authority;
    for (const filter of [
      { before: 0 },
      { before: 1.5 },
      { since: "yesterday" },
      { since: "2026-04-15T12:00:00.5Z" },
      { until: "2026-04-15T12:00:00+02:00" },
    ]) {
      await expectRejection(
        registry.listAuditEvents(filter),
        AgentAuthorityError,
        "invalid_request",
      );
    }
  });

  const kept: readonly [string, AuditFilter | (() => AuditFilter), (it: AuditEvent) => boolean][] =
    [
      ["a user", { userId: "user-2" }, (it) => it.userId === "user-2"],
      ["an account", { accountId: "acct-1" }, (it) => it.accountId === "acct-1"],
      ["a task", () => ({ taskId }), (it) => it.taskId === taskId],
      ["an address", { address: "127.0.0.1" }, (it) => it.address === "127.0.0.1"],
      ["another form of it", { address: "::ffff:127.0.0.1" }, (it) => it.address === "127.0.0.1"],
      ["an actor", { actor: "operator" }, (it) => it.actor === "operator"],
      ["a request", { requestId: "request-1" }, (it) => it.requestId === "request-1"],
      ["refusals", { only: "refusals" }, (it) => it.code !== undefined],
      ["changes", { only: "changes" }, (it) => it.code === undefined],
      ["what is before one", { before: 4 }, (it) => it.sequence < 4],
      ["a time on", { since: "2026-04-15T12:30:00Z" }, (it) => it.at >= "2026-04-15T12:30:00Z"],
      ["before a time", { until: "2026-04-15T12:30:00Z" }, (it) => it.at < "2026-04-15T12:30:00Z"],
      [
        "all of several",
        { since: "2026-04-15T12:30:00Z", until: "2026-04-15T12:30:01Z", userId: "user-2" },
        (it) => it.at === "2026-04-15T12:30:00Z" && it.userId === "user-2",
      ],
    ];

  it.each(kept)("to %s, from each end, also over the admin API", async (_, given, isKept) => {
    const filter = typeof given === "function" ? given() : given;
    const expected = all.filter(isKept);
    expect(expected.length).toBeGreaterThan(0);
    expect(expected.length).toBeLessThan(all.length);
    const token = await tested.token("read", "reader", "ops");
    const remote = remoteRegistry({ url: await tested.adminUrl(), token });
    for (const registry of [tested.authority.registry, remote]) {
      const list = async (more: AuditFilter) =>
        (await registry.listAuditEvents({ ...filter, ...more })).filter(isOfTheTest);
      expect(await list({})).toEqual(expected);
      expect(await list({ last: 1_000 })).toEqual(expected);
    }
  });

  it("to nothing before the first and after the last event", async () => {
    const { registry } = tested.authority;
    expect(await registry.listAuditEvents({ until: "2026-04-15T12:00:00Z" })).toEqual([]);
    expect(await registry.listAuditEvents({ since: "2030-01-01T00:00:00Z" })).toEqual([]);
    expect(await registry.listAuditEvents({ after: 3, before: 3 })).toEqual([]);
  });

  it("to those before one, also where a time that comes later is named too", async () => {
    const { registry } = tested.authority;
    const first = all.filter(({ sequence }) => sequence < 3);
    const until = "2026-04-15T12:40:00Z";
    expect(await registry.listAuditEvents({ before: 3, until })).toEqual(first);
  });

  it("to events of a clock that runs behind, and of one that runs ahead", async () => {
    await using other = await TestedAuthority.start();
    const { registry } = other.authority;
    const minutes = [0, 9, 2, 10, 5];
    for (const minute of minutes) {
      other.clock.nowMs = NOON + minute * MINUTE;
      await registry.revokeAccount(`acct-${minute}`, { evenIfUnknown: true });
    }
    const accounts = async (filter: AuditFilter) =>
      (await registry.listAuditEvents(filter)).map(({ accountId }) => accountId);
    expect(await accounts({ since: "2026-04-15T12:05:00Z" })).toEqual([
      "acct-9",
      "acct-10",
      "acct-5",
    ]);
    expect(await accounts({ until: "2026-04-15T12:05:00Z" })).toEqual(["acct-0", "acct-2"]);
  });

  it("to events of the times asked for alone, also where the first and the last of them are out of order", async () => {
    await using other = await TestedAuthority.start();
    const { registry } = other.authority;
    for (const minute of [31, 30, 44, 34]) {
      other.clock.nowMs = NOON + minute * MINUTE;
      await registry.revokeAccount(`acct-${minute}`, { evenIfUnknown: true });
    }
    const accounts = async (filter: AuditFilter) =>
      (await registry.listAuditEvents(filter)).map(({ accountId }) => accountId);
    expect(await accounts({ since: "2026-04-15T12:31:00Z" })).toEqual([
      "acct-31",
      "acct-44",
      "acct-34",
    ]);
    expect(await accounts({ until: "2026-04-15T12:35:00Z" })).toEqual([
      "acct-31",
      "acct-30",
      "acct-34",
    ]);
  });

  // What the tests add: the tokens of readers.
  function isOfTheTest({ sequence }: AuditEvent): boolean {
    return sequence <= (all.at(-1)?.sequence ?? 0);
  }
});
