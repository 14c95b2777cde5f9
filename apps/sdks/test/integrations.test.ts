import { refusalOf } from "@countersign/ai";
import { describe, expect, test } from "vitest";
import { ANSWER, type SdkClient, type SdkSettings } from "./sdk-client.js";
import { SDK_CLIENTS } from "./sdk-clients.js";
import { startWorld, type World } from "./world.js";

const PLACEHOLDER = /placeholder|signed-by-agent/;

/** What an SDK is set up with by the helper of `@countersign/ai`. */
function settingsOf({ thread, tap }: World, client: SdkClient): SdkSettings {
  return { origin: tap.url, ...client.helped(thread, tap.url) };
}

async function failureOf(call: Promise<unknown>): Promise<unknown> {
  return await call.then(
    () => expect.unreachable("was served"),
    (reason: unknown) => reason,
  );
}

describe.each(SDK_CLIENTS)("$name, as @countersign/ai sets it up,", (client) => {
  const calls = [
    ["a call", client.ask],
    ["a streamed call", client.stream],
  ] as const;

  test.each(calls)("sends one assertion and no other credential with %s", async (_, call) => {
    const world = await startWorld(client);
    expect(await call(settingsOf(world, client))).toBe(ANSWER);
    const assertions = world.tap.values("authorization");
    expect(assertions.length).toBeGreaterThan(0);
    expect(assertions.filter((value) => !value.startsWith("AgentAssertion "))).toEqual([]);
    expect(world.upstream.requests).toHaveLength(assertions.length);
    expect(world.tap.received()).not.toMatch(PLACEHOLDER);
  });

  test.each(calls)("goes on in a new task if its task is revoked before %s", async (_, call) => {
    const world = await startWorld(client);
    const settings = settingsOf(world, client);
    expect(await call(settings)).toBe(ANSWER);
    const task = await world.thread.ensure();
    await world.registry.revokeTask(task?.taskId ?? "");
    expect(await call(settings)).toBe(ANSWER);
    expect((await world.thread.ensure())?.taskId).not.toBe(task?.taskId);
  });

  test.each(calls)("reports why its agent is refused in %s", async (_, call) => {
    const world = await startWorld(client);
    const settings = settingsOf(world, client);
    expect(await call(settings)).toBe(ANSWER);
    for (const { agentRuntimeId } of await world.registry.listAgents()) {
      await world.registry.revokeAgent(agentRuntimeId);
    }
    const error = await failureOf(call(settings));
    expect(String(error)).toMatch(/revoked/);
    expect(refusalOf(error)).toMatchObject({ code: "agent_revoked", hint: expect.any(String) });
    expect(world.tap.received()).not.toMatch(PLACEHOLDER);
  });

  test.each(calls)("sends nothing in %s while no task can be had", async (_, call) => {
    const world = await startWorld(client, { deadlineMs: 200 });
    await world.endAuthority();
    const error = await failureOf(call({ ...settingsOf(world, client), maxRetries: 0 }));
    expect(["unreachable", "timeout"]).toContain(refusalOf(error)?.code);
    expect(world.tap.received()).toBe("");
  });

  test.each(calls)("ends %s with its caller", async (_, call) => {
    const world = await startWorld(client);
    const leaving = new AbortController();
    const answered = Promise.withResolvers<void>();
    const until = answered.promise;
    world.upstream.answer({ kind: "hold", until });
    const ended = failureOf(call({ ...settingsOf(world, client), signal: leaving.signal }));
    await expect.poll(() => world.upstream.requests.length).toBeGreaterThan(0);
    leaving.abort();
    expect(await ended).toBeInstanceOf(Error);
    await expect.poll(() => world.upstream.requests.map(({ aborted }) => aborted)).toContain(true);
    answered.resolve();
  });
});
