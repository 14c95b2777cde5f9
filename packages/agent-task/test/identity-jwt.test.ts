import { inspect } from "node:util";
import { AgentIdentityError, type AuthSource, memoryStore } from "@countersign/agent-identity";
import { identityJwtAuth, keySetUrl, remoteKeySet } from "@countersign/agent-identity/identity-jwt";
import {
  FakeClock,
  headerOf,
  pacedBy,
  startTestAuthority,
  type TestAuthority,
  type TestIdentityJwt,
} from "@countersign/testing";
import { expectRejection } from "@countersign/testing/vitest";
import { describe, expect, it, onTestFinished } from "vitest";
import { RUN } from "../src/agent-task.js";
import { AgentTaskError } from "../src/agent-task-error.js";
import { TaskRegistrationError } from "../src/task-registration-error.js";
import { refusal, startWorld, type World } from "./world.js";

interface TokenWorld extends World {
  readonly clock: FakeClock;
  readonly issued: TestIdentityJwt;
}

/** A world without a human's login: it has an identity JWT and nothing else. */
async function startTokenWorld(): Promise<TokenWorld> {
  const clock = new FakeClock();
  const authority = await startTestAuthority({ now: clock.now });
  onTestFinished(() => authority.close());
  const issued = authority.issueIdentityJwt({ accountId: "acct-1", userId: "user-1" });
  const auth = tokenAuth(authority, issued.token, clock);
  const credentials = memoryStore();
  const world = await startWorld({ authority, auth, credentials, now: clock.now });
  return { ...world, clock, issued };
}

function tokenAuth(authority: TestAuthority, token: string, clock: FakeClock): AuthSource {
  return identityJwtAuth({
    token,
    keySet: remoteKeySet(keySetUrl(authority.url), { now: clock.now, ...pacedBy() }),
    authority: authority.url,
    now: clock.now,
  });
}

describe("an agent that came in an identity JWT", () => {
  it("takes one fetch of the key set and one task registration for 50 threads on the run scope", async () => {
    const world = await startTokenWorld();
    const tasks = world.tasks();
    const run = tasks.run();
    const turns = Array.from({ length: 50 }, () =>
      run.run(async ({ task, credential }) => ({ id: task?.taskId, kind: credential.kind })),
    );
    const used = await Promise.all(turns);
    expect(new Set(used.map(({ id }) => id))).toEqual(new Set(["task_1"]));
    expect(new Set(used.map(({ kind }) => kind))).toEqual(new Set(["agent"]));
    for (let turn = 0; turn < 100; turn += 1) await tasks.ensure(RUN);
    const { requests, counts } = world.authority;
    expect(requests.map(({ step }) => step)).toEqual(["key_set", "register_task"]);
    expect(counts).toMatchObject({ keySet: 1, registerTask: 1, registerAgent: 0, biscuit: 0 });
  });

  it("takes one fetch of the key set for 50 threads with a task each, and one more registration for each", async () => {
    const world = await startTokenWorld();
    const tasks = world.tasks();
    const ids = Array.from({ length: 50 }, (_, number) => `thread-${number}`);
    const all = await Promise.all(ids.map((id) => tasks.ensure(id)));
    expect(new Set(all.map((task) => task?.taskId)).size).toBe(50);
    const { counts } = world.authority;
    expect(counts).toMatchObject({ keySet: 1, registerTask: 50, registerAgent: 0, biscuit: 0 });
  });

  it("sends no credential with its task registration, and the token in no request at all", async () => {
    const world = await startTokenWorld();
    await world.tasks().ensure(RUN);
    await world.tasks().ensure("thread-1");
    const { requests } = world.authority;
    expect(requests).toHaveLength(3);
    const [header = "", payload = "", signature = ""] = world.issued.token.split(".");
    const secrets = [header, payload, signature, world.issued.privateKey];
    for (const request of requests) {
      for (const name of ["authorization", "x-openai-authorization", "cookie"]) {
        expect(headerOf(request, name)).toBeUndefined();
      }
      const whole = `${request.url}\n${request.rawHeaders.flat().join("\n")}\n${request.body}`;
      for (const secret of secrets) expect(whole).not.toContain(secret);
    }
  });

  it("never signs as anything but the agent: with the feature off there is no credential", async () => {
    const world = await startTokenWorld();
    world.flag.on = false;
    expect(await world.tasks().run().credential()).toMatchObject({ kind: "none" });
    const tasks = world.tasks({ bearerOrigins: ["https://api.example"] });
    await expectRejection(tasks.run().credential(), AgentTaskError, "not_logged_in");
    expect(await tasks.ensure(RUN)).toBeUndefined();
    expect(world.authority.requests).toEqual([]);
    world.flag.on = true;
    expect(await tasks.run().credential()).toMatchObject({ kind: "agent" });
    world.flag.on = false;
    await expectRejection(tasks.run().credential(), AgentTaskError, "not_logged_in");
  });

  it("has no human to fall back to while the authority fails, and goes on when it is well", async () => {
    const world = await startTokenWorld();
    const origin = "https://api.example";
    const run = world.tasks({ onFailure: "bearer", bearerOrigins: [origin] }).run();
    world.authority.fault("key_set", { kind: "status", status: 503 }, 3);
    const unfetched = await expectRejection(
      run.credential(),
      TaskRegistrationError,
      "server_error",
    );
    expect(unfetched.retryable).toBe(true);
    world.authority.fault("register_task", { kind: "status", status: 503 }, 3);
    await expectRejection(run.credential(), TaskRegistrationError, "server_error");
    expect(await run.credential()).toMatchObject({ kind: "agent", taskId: "task_1" });
    expect(world.authority.counts).toMatchObject({ keySet: 4, registerTask: 4 });
  });

  it("says that the token expired, when it does so in the middle of a run, and sends nothing more", async () => {
    const world = await startTokenWorld();
    const tasks = world.tasks();
    await tasks.ensure(RUN);
    world.sent();
    world.clock.advance(3_660_000);
    for (const scope of [RUN, "thread-1"] as const) {
      const refused = tasks.ensure(scope);
      const error = await expectRejection(refused, TaskRegistrationError, "agent_expired");
      expect(error.message).toBe(
        "no task for this turn: the identity JWT expired at 2026-03-23T13:00:00Z",
      );
      expect(error.hint).toBe("get a new identity JWT and log in with it");
      expect(error.retryable).toBe(false);
      const shown = inspect(error, { depth: Number.POSITIVE_INFINITY, showHidden: true });
      expect(shown).not.toContain(world.issued.privateKey);
      expect(shown).not.toContain(world.issued.token);
    }
    expect(world.sent()).toBe(0);
  });

  it("is not replaced by itself where the authority does not know it any more, or let it expire", async () => {
    for (const code of ["unknown_agent", "agent_expired"] as const) {
      const world = await startTokenWorld();
      world.authority.fault("register_task", refusal(401, code), 9);
      const refused = world.tasks().ensure(RUN);
      const error = await expectRejection(refused, TaskRegistrationError, code);
      expect(AgentIdentityError.is(error.cause)).toBe(true);
      expect(world.authority.counts).toMatchObject({ registerAgent: 0, registerTask: 1 });
    }
  });

  it("recovers from the refusal of a task by another task of the same agent, and registers no agent", async () => {
    for (const code of ["unknown_task", "task_revoked", "task_expired", undefined] as const) {
      const world = await startTokenWorld();
      const run = world.tasks().run();
      const credential = await run.credential();
      const next = await run.refused(credential, { code, origin: "https://api.example" });
      expect(next).toMatchObject({
        kind: "agent",
        agentRuntimeId: world.issued.agentRuntimeId,
        taskId: "task_2",
      });
      expect(world.authority.counts).toMatchObject({ registerAgent: 0, registerTask: 2 });
    }
  });

  it("is not signed for again once another agent's token is the login", async () => {
    const world = await startTokenWorld();
    const other = world.authority.issueIdentityJwt({ accountId: "acct-1", userId: "user-1" });
    let current = tokenAuth(world.authority, world.issued.token, world.clock);
    const auth: AuthSource = { current: () => current.current() };
    const switching = await startWorld({
      authority: world.authority,
      auth,
      credentials: memoryStore(),
      now: world.clock.now,
    });
    const run = switching.tasks().run();
    const credential = await run.credential();
    current = tokenAuth(world.authority, other.token, world.clock);
    expect(
      await run.refused(credential, { code: "unknown_task", origin: "https://api.example" }),
    ).toBeUndefined();
    expect(world.authority.counts).toMatchObject({ registerTask: 1 });
  });

  it("reads its task in the clear too, as issuers of this generation answer", async () => {
    const world = await startTokenWorld();
    world.authority.answerTasks = "task_id";
    expect((await world.tasks().ensure(RUN))?.taskId).toBe("task_1");
  });
});
