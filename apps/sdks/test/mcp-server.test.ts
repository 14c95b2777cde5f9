import { inspect } from "node:util";
import type { AgentTaskManager } from "@countersign/agent-task";
import { mcp } from "@countersign/ai";
import { agentOf } from "@countersign/ai/mcp-server";
import { describe, expect, test } from "vitest";
import {
  type McpServing,
  type McpTools,
  WITH_JSON,
  WITH_SESSIONS,
  WITHOUT_SESSIONS,
} from "./mcp-servings.js";
import {
  callOf,
  INITIALIZE,
  type McpAnswer,
  type McpWorld,
  send,
  startMcpWorld,
  textOf,
} from "./mcp-world.js";

const MAIN = { accountId: "acct-1", userId: "user-1" };
const SAME_ACCOUNT = { accountId: "acct-1", userId: "user-2" };
const OTHER_ACCOUNT = { accountId: "acct-2", userId: "user-3" };

const WHOAMI: McpTools = {
  whoami: async ({ authInfo }) => JSON.stringify({ authInfo, agent: agentOf(authInfo) }),
};

/** A tool that sends a part of its answer, and goes on when it is released or told to stop. */
function heldTool() {
  const released = Promise.withResolvers<string>();
  const [begun, stopped] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const tools: McpTools = {
    ...WHOAMI,
    held: async ({ notify, signal }) => {
      signal.addEventListener("abort", () => stopped.resolve());
      await notify("begun");
      begun.resolve();
      return await released.promise;
    },
  };
  return {
    tools,
    begun: begun.promise,
    stopped: stopped.promise,
    release: () => released.resolve("done"),
  };
}

/** The fetch of one thread of an agent. Its requests are bound. */
function signedBy(agent: AgentTaskManager, { url }: McpWorld, thread = "thread-1") {
  return mcp(agent.thread(thread), url, { binding: true }).fetch;
}

/** Starts a world with a session of {@link MAIN}, or without where the server has none. */
async function startSession(
  serving: McpServing,
  tools: McpTools,
  options: Parameters<typeof startMcpWorld>[2] = {},
) {
  const world = await startMcpWorld(serving, tools, options);
  const agent = await world.agent(MAIN);
  const fetch = signedBy(agent, world);
  const { session } = await send(fetch, world.url, INITIALIZE);
  const call = (message: object | "GET" | "DELETE", by = fetch): Promise<McpAnswer> =>
    send(by, world.url, message, { session });
  return { ...world, world, agent, fetch, session, call };
}

/** Revokes the task of a thread. */
async function revokeTask({ registry }: McpWorld, agent: AgentTaskManager): Promise<void> {
  await registry.revokeTask((await agent.thread("thread-1").ensure())?.taskId ?? "");
}

async function revokeAgents({ registry }: McpWorld): Promise<void> {
  for (const { agentRuntimeId } of await registry.listAgents()) {
    await registry.revokeAgent(agentRuntimeId);
  }
}

/** Reads an answer to its end. @returns the data of its parts, and its text if it has one */
async function wholeOf({ messages }: McpAnswer): Promise<string[]> {
  const parts: string[] = [];
  try {
    for await (const message of messages) {
      parts.push(message.params?.data ?? message.code ?? textOf(message));
    }
  } catch {
    parts.push("broken off");
  }
  return parts;
}

describe.each(WITH_SESSIONS)("$name", (serving) => {
  test("lets neither another account nor another agent of the account use a session (G-M12)", async () => {
    const refusals: unknown[] = [];
    const onRefused = (refused: object) => void refusals.push(refused);
    const { world, session, call } = await startSession(serving, WHOAMI, { onRefused });
    expect(session).toMatch(/^[0-9a-f-]{36}$/);
    for (const user of [SAME_ACCOUNT, OTHER_ACCOUNT]) {
      const other = signedBy(await world.agent(user), world);
      for (const message of [callOf("whoami"), INITIALIZE, "GET", "DELETE"] as const) {
        const refused = await call(message, other);
        expect(refused.status).toBe(404);
        expect(await refused.response()).toMatchObject({ code: "invalid_request" });
      }
    }
    expect(textOf(await (await call(callOf("whoami"))).response())).toContain("acct-1");
    expect(world.errors).toEqual([]);
    expect(refusals).toHaveLength(8);
    expect(refusals[0]).toMatchObject({ code: "invalid_request", proven: SAME_ACCOUNT });
    expect(refusals[7]).toMatchObject({ code: "invalid_request", proven: OTHER_ACCOUNT });
  });

  test("serves a session's agent in another task of its own, which its tool knows", async () => {
    const { world, agent, call } = await startSession(serving, WHOAMI);
    for (const thread of ["thread-1", "thread-2"]) {
      const answer = await call(callOf("whoami"), signedBy(agent, world, thread));
      const { authInfo } = JSON.parse(textOf(await answer.response()));
      expect(authInfo.extra.taskId).toBe((await agent.thread(thread).ensure())?.taskId);
    }
  });

  test("ends a session by DELETE", async () => {
    const { call } = await startSession(serving, WHOAMI);
    expect((await call("DELETE")).status).toBe(200);
    expect((await call(callOf("whoami"))).status).toBe(404);
  });

  test("ends a session that was idle for too long, and not while a stream is open", async () => {
    let now = Date.now();
    const options = { sessionIdleSeconds: 60, now: () => now };
    const { call } = await startSession(serving, WHOAMI, options);
    now += 59_999;
    const stream = await call("GET");
    expect(stream.status).toBe(200);
    now += 60_000;
    expect((await call(callOf("whoami"))).status).toBe(200);
    await stream.cancel();
    await expect
      .poll(async () => {
        now += 60_000;
        return (await call(callOf("whoami"))).status;
      })
      .toBe(404);
  });

  test("ends the longest unused session of the account with the most, if there are too many", async () => {
    const { world, fetch, session, call } = await startSession(serving, WHOAMI, { maxSessions: 2 });
    const other = signedBy(await world.agent(OTHER_ACCOUNT), world);
    const kept = await send(other, world.url, INITIALIZE);
    const second = await send(fetch, world.url, INITIALIZE);
    expect((await call(callOf("whoami"))).status).toBe(404);
    for (const [by, id] of [
      [other, kept.session],
      [fetch, second.session],
    ] as const) {
      expect(id).not.toBe(session);
      const { status } = await send(by, world.url, callOf("whoami"), { session: id });
      expect(status).toBe(200);
    }
  });

  test("ends all sessions when it is closed", async () => {
    const { endpoint, call } = await startSession(serving, WHOAMI);
    const stream = await call("GET");
    endpoint.close();
    await wholeOf(stream);
    expect((await call(callOf("whoami"))).status).toBe(404);
  });

  test("stops a tool whose client cancels it", async () => {
    const { tools, begun, stopped } = heldTool();
    const { call, endpoint } = await startSession(serving, tools);
    const run = call(callOf("held")).then(wholeOf, () => []);
    await begun;
    await call({ method: "notifications/cancelled", params: { requestId: 1 } });
    await stopped;
    endpoint.close();
    expect(await Promise.race([run, "open"])).not.toContain("done");
  });

  test("ends the sessions and tools of an agent that is revoked in a run (G-R6)", async () => {
    const { tools, begun, stopped } = heldTool();
    const { world, call } = await startSession(serving, tools, { recheckMs: 20 });
    const [stream, run] = [await call("GET"), call(callOf("held"))];
    await begun;
    await revokeAgents(world);
    await stopped;
    await wholeOf(stream);
    expect(await wholeOf(await run)).not.toContain("done");
    await expect(call(callOf("whoami"))).rejects.toMatchObject({ code: "agent_revoked" });
  });
});

describe.each([...WITH_SESSIONS, ...WITH_JSON, ...WITHOUT_SESSIONS])("$name", (serving) => {
  const isJson = WITH_JSON.includes(serving);

  test("gives a tool who calls it, and no credential (G-M13)", async () => {
    const seen: string[] = [];
    const tools: McpTools = {
      whoami: async (call) => {
        const { requestInfo, http } = call.all as { requestInfo?: object; http?: { req: Request } };
        const fields = [...(http?.req?.headers ?? [])];
        seen.push(inspect([call.all, requestInfo, fields], { depth: 12, showHidden: true }));
        return JSON.stringify({ authInfo: call.authInfo, agent: agentOf(call.authInfo) });
      },
    };
    const { tap, agent, call } = await startSession(serving, tools);
    const task = await agent.thread("thread-1").ensure();
    const { agentRuntimeId, taskId } = task ?? {};
    const { authInfo, agent: sender } = JSON.parse(
      textOf(await (await call(callOf("whoami"))).response()),
    );
    const verified = { ...MAIN, agentRuntimeId, taskId };
    expect(sender).toMatchObject(verified);
    expect(authInfo).toMatchObject({
      token: `${agentRuntimeId}/${taskId}`,
      clientId: agentRuntimeId,
      scopes: [],
      extra: verified,
    });
    const credentials = [...tap.values("authorization"), ...tap.values("signature")];
    expect(credentials.length).toBeGreaterThan(3);
    // The requests' other fields are there, so these would be.
    expect(seen.join()).toContain("mcp-protocol-version");
    for (const credential of credentials) {
      expect(seen.join()).not.toContain(credential.replace("AgentAssertion ", ""));
    }
  });

  test("passes on a part of an answer as soon as it is there", async () => {
    const { tools, release } = heldTool();
    const { call } = await startSession(serving, tools);
    if (isJson) release();
    const parts: string[] = [];
    for await (const message of (await call(callOf("held"))).messages) {
      parts.push(message.params?.data ?? textOf(message));
      release();
    }
    expect(parts).toEqual(isJson ? ["done"] : ["begun", "done"]);
  });

  test("ends an open answer when its task is revoked, and serves the agent's next task (G-R6)", async () => {
    const { tools, begun, release } = heldTool();
    const { world, agent, call } = await startSession(serving, tools, { recheckMs: 20 });
    const run = call(callOf("held"));
    await begun;
    await revokeTask(world, agent);
    const parts = await wholeOf(await run);
    expect(parts).not.toContain("done");
    // What was begun may have been done: no 401, after which it would be sent again.
    if (isJson) expect([(await run).status, parts]).toEqual([403, ["forbidden"]]);
    release();
    expect(textOf(await (await call(callOf("whoami"))).response())).toContain("acct-1");
    expect(world.errors).toEqual([]);
  });

  test("serves nothing that cannot be checked, and ends what is open (G-M4, G-R6)", async () => {
    const { tools, begun } = heldTool();
    const options = { recheckMs: 20, staleIfErrorSeconds: 0 };
    const { call, endAuthority, errors } = await startSession(serving, tools, options);
    const run = call(callOf("held"));
    await begun;
    await endAuthority();
    expect(await wholeOf(await run)).not.toContain("done");
    const refused = await call(callOf("whoami"));
    expect([refused.status, await refused.response()]).toMatchObject([
      503,
      { code: "server_error" },
    ]);
    expect(errors).toMatchObject([{ code: "unreachable" }]);
  });
});

describe.each(WITHOUT_SESSIONS)("$name", (serving) => {
  test("knows no session, and stops a tool whose client has gone", async () => {
    const { tools, stopped } = heldTool();
    const { fetch, url, session } = await startSession(serving, tools);
    expect(session).toBeNull();
    const unknown = await send(fetch, url, callOf("whoami"), { session: crypto.randomUUID() });
    expect(unknown.status).toBe(404);
    const leaving = new AbortController();
    const run = await send(fetch, url, callOf("held"), { signal: leaving.signal });
    expect(run.status).toBe(200);
    leaving.abort();
    await stopped;
  });
});
