import { refusalOf } from "@countersign/agent-assertion/fetch";
import { CountersignError } from "@countersign/agent-key";
import { describe, expect, test } from "vitest";
import { ANSWER, type SdkSettings } from "./sdk-client.js";
import { SDK_CLIENTS } from "./sdk-clients.js";
import { KEY, startWorld, type World } from "./world.js";

async function revokeTheAgent({ registry }: World): Promise<void> {
  const [agent, ...others] = await registry.listAgents();
  if (agent === undefined || others.length > 0) return expect.unreachable("not one agent");
  await registry.revokeAgent(agent.agentRuntimeId);
}

/** Makes a call that succeeds, revokes the agent, and returns the error of the next call, and how often that one was attempted. */
async function refusedCall(
  world: World,
  call: (settings: SdkSettings) => Promise<string>,
  settings: SdkSettings,
) {
  expect(await call(settings)).toBe(ANSWER);
  await revokeTheAgent(world);
  const before = world.attempts();
  const error: unknown = await call(settings).then(
    () => expect.unreachable("a revoked agent was served"),
    (reason: unknown) => reason,
  );
  return { error, attempts: world.attempts() - before };
}

describe.each(SDK_CLIENTS)("$name", (client) => {
  const calls = [
    ["a call", client.ask],
    ["a streamed call", client.stream],
  ] as const;

  test.each(calls)("fails %s of a revoked agent once if refusals are answers", async (_, call) => {
    const world = await startWorld(client);
    const { error, attempts } = await refusedCall(
      world,
      call,
      world.settings({ refusals: "respond" }),
    );
    expect(attempts).toBe(1);
    expect(error).toBeInstanceOf(Error);
    expect(Object(error).constructor.name).toBe(client.refusedAs);
    const { status, statusCode, code } = Object(error);
    expect([status, statusCode, code]).toContain(403);
    // A person who reads the SDK's error sees why.
    expect(String(error)).toMatch(/revoked/);
    expect(refusalOf(error)?.code).toBe(client.keepsAnswer ? "agent_revoked" : undefined);
    expect(world.tap.received()).not.toContain(KEY);
  });

  test.each(calls)("shows the refusal of %s if refusals reject", async (_, call) => {
    const world = await startWorld(client);
    const settings = { ...world.settings(), ...(client.keepsAnswer ? { maxRetries: 0 } : {}) };
    const { error, attempts } = await refusedCall(world, call, settings);
    expect(attempts).toBe(1);
    // The others hand it up as it is.
    expect(CountersignError.is(error)).toBe(!client.keepsAnswer);
    expect(refusalOf(error)).toMatchObject({ code: "agent_revoked" });
    expect(world.tap.received()).not.toContain(KEY);
  });
});
