import { headerOf } from "@countersign/testing";
import { describe, expect, test } from "vitest";
import { ANSWER } from "./sdk-client.js";
import { SDK_CLIENTS } from "./sdk-clients.js";
import { KEY, startWorld, type World } from "./world.js";

const REPEATING = SDK_CLIENTS.flatMap((client) => {
  const { name, repeatsAfter } = client;
  return repeatsAfter === undefined ? [] : [{ name, client, repeatsAfter }];
});

/** Each request that arrived was signed for itself, was let through, and held nothing of the key. */
function expectSignedForItself({ tap, upstream, warnings }: World): void {
  const assertions = tap.values("authorization");
  expect(assertions.length).toBeGreaterThan(0);
  expect(assertions.filter((value) => !value.startsWith("AgentAssertion "))).toEqual([]);
  expect(new Set(assertions).size).toBe(assertions.length);
  expect(tap.values("host")).toHaveLength(assertions.length);
  expect(upstream.requests).toHaveLength(assertions.length);
  const tasks = upstream.requests.map((request) => headerOf(request, "x-agent-task-id"));
  expect(tasks.filter((task) => task === undefined)).toEqual([]);
  expect(tap.received()).not.toContain(KEY);
  expect(warnings).toHaveLength(1);
  expect(warnings.join()).not.toContain(KEY);
  expect(JSON.stringify(upstream.requests)).not.toContain(KEY);
}

describe.each(SDK_CLIENTS)("$name", (client) => {
  const calls = [
    ["a call", client.ask],
    ["a streamed call", client.stream],
  ] as const;

  test.each(calls)("does not send its own key in %s (G-C2)", async (_, call) => {
    const world = await startWorld(client);
    expect(await call(world.settings())).toBe(ANSWER);
    expectSignedForItself(world);
  });

  test.each(calls)("does not send its own key in %s that is bound", async (_, call) => {
    const world = await startWorld(client, { binding: true });
    expect(await call(world.settings())).toBe(ANSWER);
    expectSignedForItself(world);
  });
});

describe.each(REPEATING)("$name", ({ client, repeatsAfter: [first, second] }) => {
  test.each([
    ["a call", first, client.ask],
    ["a streamed call", second, client.stream],
  ] as const)(
    "signs each attempt of %s that it repeats after %i (G-C2)",
    async (_, status, call) => {
      const world = await startWorld(client);
      const headers = { "retry-after-ms": "1" };
      world.upstream.answer({ status, headers, body: { error: { message: "try again" } } });
      expect(await call(world.settings())).toBe(ANSWER);
      expect(world.upstream.requests).toHaveLength(2);
      expectSignedForItself(world);
    },
  );
});
