import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { sampleRows } from "@countersign/testing/effort";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { Integration, IntegrationCall } from "./integration.js";
import { IntegrationTable } from "./integration-table.js";
import { INTEGRATIONS } from "./integrations.js";
import { ANSWER } from "./sdk-client.js";
import { KEY, startWorld, type World, type WorldOptions } from "./world.js";

const DOCUMENT = join(import.meta.dirname, "../../../docs/integrations.md");
const PLACEHOLDER = /placeholder|signed-by-agent/;
// What the SDKs read by themselves, the processes among them.
const KEY_VARIABLES = ["OPENAI_API_KEY", "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"];

interface Scene {
  readonly integration: Integration;
  readonly world: World;
  /** Makes one call. Gives the text of the answer. */
  call(options?: IntegrationCall): Promise<string>;
  /** The error of a call. */
  failureOf(call: Promise<string>): Promise<unknown>;
}

interface Scenario {
  readonly name: string;
  readonly calls: readonly ("ask" | "stream")[];
  readonly options?: WorldOptions;
  /** Gives what its cell in the table says. */
  run(scene: Scene): Promise<string>;
}

/** Nothing but assertions arrived at the gateway, and all of them passed. */
function expectAssertionsAlone({ tap, upstream }: World): void {
  const assertions = tap.values("authorization");
  expect(assertions.length).toBeGreaterThan(0);
  expect(assertions.filter((value) => !value.startsWith("AgentAssertion "))).toEqual([]);
  expect(upstream.requests).toHaveLength(assertions.length);
}

async function sendsAssertionsAlone({ world, call }: Scene): Promise<string> {
  expect(await call()).toBe(ANSWER);
  expectAssertionsAlone(world);
  return "yes";
}

/** The error of a call that was refused: a person who reads it sees why. */
function shown({ integration }: Scene, error: unknown, says: RegExp): string {
  expect(error).toBeInstanceOf(Error);
  expect(String(error)).toMatch(says);
  return integration.nameOf(error);
}

const SCENARIOS: readonly Scenario[] = [
  { name: "one assertion, no other credential", calls: ["ask"], run: sendsAssertionsAlone },
  { name: "streamed", calls: ["stream"], run: sendsAssertionsAlone },
  {
    name: "ended by its caller",
    calls: ["ask", "stream"],
    async run({ world, call, failureOf }) {
      const leaving = new AbortController();
      const arrived = world.holdNextAnswer();
      const ended = failureOf(call({ signal: leaving.signal }));
      await arrived;
      leaving.abort();
      const error = await ended;
      expect(error).toBeInstanceOf(Error);
      expect(String(error)).not.toMatch(/timed out/i);
      await expect
        .poll(() => world.upstream.requests.map(({ aborted }) => aborted))
        .toContain(true);
      return "yes";
    },
  },
  {
    name: "task revoked",
    calls: ["ask", "stream"],
    async run({ world, call }) {
      expect(await call()).toBe(ANSWER);
      const task = await world.thread.ensure();
      await world.registry.revokeTask(task?.taskId ?? "");
      expect(await call()).toBe(ANSWER);
      expect((await world.thread.ensure())?.taskId).not.toBe(task?.taskId);
      return "goes on in a new task";
    },
  },
  {
    name: "task revoked in a stream",
    calls: ["stream"],
    options: { recheckMs: 20 },
    async run({ world, call, integration }) {
      const { upstream, gatewayLog } = world;
      const leaving = new AbortController();
      const arrived = world.holdNextStream();
      const ended = call({ signal: leaving.signal }).then(
        (text) => {
          expect(ANSWER.startsWith(text)).toBe(true);
          return "ends as if it were whole";
        },
        (reason: unknown) => {
          if (integration.missesBrokenStream) expect(String(reason)).toMatch(/closed$/);
          return integration.nameOf(reason);
        },
      );
      await arrived;
      const task = await world.thread.ensure();
      await world.registry.revokeTask(task?.taskId ?? "");
      await expect
        .poll(() => gatewayLog.map(({ status, code }) => [status, code]))
        .toContainEqual([200, "task_revoked"]);
      await expect.poll(() => upstream.requests.some(({ aborted }) => aborted)).toBe(true);
      if (integration.missesBrokenStream) leaving.abort();
      const seen = await ended;
      const broken = upstream.requests.find(({ aborted }) => aborted);
      expect(upstream.requests.filter(({ body }) => body === broken?.body)).toHaveLength(1);
      expect(await call()).toBe(ANSWER);
      expect((await world.thread.ensure())?.taskId).not.toBe(task?.taskId);
      return integration.missesBrokenStream ? "waits for its own time-out" : seen;
    },
  },
  {
    name: "agent revoked",
    calls: ["ask", "stream"],
    async run(scene) {
      const { world, call, failureOf, integration } = scene;
      expect(await call()).toBe(ANSWER);
      for (const { agentRuntimeId } of await world.registry.listAgents()) {
        await world.registry.revokeAgent(agentRuntimeId);
      }
      const error = await failureOf(call());
      expect(integration.codeOf(error)).toBe("agent_revoked");
      return shown(scene, error, /revoked/);
    },
  },
  {
    name: "authority down",
    calls: ["ask", "stream"],
    options: { deadlineMs: 200 },
    async run({ world, call, failureOf, integration }) {
      await world.endAuthority();
      const error = await failureOf(call({ maxRetries: 0 }));
      expect(["unreachable", "timeout"]).toContain(integration.codeOf(error));
      expect(world.tap.received()).toBe("");
      return "fails, nothing sent";
    },
  },
  {
    name: "no login",
    calls: ["ask", "stream"],
    options: { isLoggedIn: false },
    async run(scene) {
      const { world, call, failureOf, integration } = scene;
      const error = await failureOf(call({ maxRetries: 0 }));
      expect(integration.codeOf(error)).toBe("not_logged_in");
      expect(world.tap.received()).toBe("");
      return shown(scene, error, /log/);
    },
  },
];

const table = new IntegrationTable(
  INTEGRATIONS.map(({ name }) => name),
  SCENARIOS.map(({ name }) => name),
);
const RUN = sampleRows("integrations", INTEGRATIONS, 9);

describe.each(RUN)("$name", (integration) => {
  test.each(
    SCENARIOS.flatMap((scenario) => scenario.calls.map((how) => ({ ...scenario, scenario, how }))),
  )("$name ($how)", async ({ scenario, how }) => {
    for (const name of KEY_VARIABLES) vi.stubEnv(name, KEY);
    onTestFinished(() => void vi.unstubAllEnvs());
    const world = await startWorld(integration, scenario.options);
    const started = await integration.start(world);
    const saying = await scenario.run({
      integration,
      world,
      call: (options = {}) => started[how](options),
      failureOf: (call) =>
        call.then(
          () => expect.unreachable("was served"),
          (reason: unknown) => reason,
        ),
    });
    expect(world.tap.received()).not.toMatch(PLACEHOLDER);
    expect(world.tap.received()).not.toContain(KEY);
    table.set(integration.name, scenario.name, saying);
  });
});

// `TEST_EFFORT=full vitest run test/integrations.test.ts --update` writes it.
test("docs/integrations.md says what these tests found", async ({ skip }) => {
  const rows = table.rows();
  if (rows.size === INTEGRATIONS.length) {
    await expect(table.text()).toMatchFileSnapshot(DOCUMENT);
    return;
  }
  if (rows.size === 0) skip("only a part of the scenarios was run");
  const lines = (await readFile(DOCUMENT, "utf8")).split("\n");
  expect([...rows.values()].filter((row) => !lines.includes(row))).toEqual([]);
});
