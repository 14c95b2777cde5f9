import { AgentKey } from "@countersign/agent-key";
import { expect, it } from "vitest";
import { expectRefusal } from "./expect-refusal.js";
import { agentBody, TestedAuthority, taskBody, taskPath } from "./start-authority.js";

// A tenth of 1,000 runners of 20 users each, and a tenth of the default limits.
const RUNNERS = 100;
const USERS = 10;
const SCALED = { refusalsPerMinute: 60, addressPerMinute: 600, userPerMinute: 12 } as const;
const NO_TOKEN = `cs_human_${"A".repeat(43)}`;

interface Runner {
  readonly token: string;
  readonly key: AgentKey;
}

function registerWith(tested: TestedAuthority, { token, key }: Runner) {
  return tested.call("POST", "/v1/agent/register", {
    headers: { authorization: `Bearer ${token}` },
    body: agentBody(key),
  });
}

/** Sends requests with a token that the authority never gave out. */
async function flood(tested: TestedAuthority, requests: number): Promise<void> {
  const attacker = { token: NO_TOKEN, key: AgentKey.generate() };
  for (let i = 0; i < requests; i += 1) {
    expect([401, 429]).toContain((await registerWith(tested, attacker)).status);
  }
}

// Each has a token of its own, as jobs of a CI have, so that none is known because of another.
async function createFleet(tested: TestedAuthority): Promise<readonly Runner[]> {
  const fleet: Runner[] = [];
  for (let i = 0; i < RUNNERS; i += 1) {
    fleet.push({
      token: await tested.token("human", `user-${i % USERS}`),
      key: AgentKey.generate(),
    });
  }
  return fleet;
}

/** Registers an agent and then its task. @returns the seconds to wait if the registration of the agent was refused for its number */
async function start(tested: TestedAuthority, runner: Runner): Promise<number | undefined> {
  const agent = await registerWith(tested, runner);
  if (agent.status === 429) return Number(agent.headers["retry-after"]);
  expect(agent.status).toBe(200);
  const id: string = agent.body.agent_runtime_id;
  const task = await tested.call("POST", taskPath(id), {
    body: taskBody(id, runner.key, tested.clock.nowMs),
  });
  // An agent that was just admitted gets its task.
  expect(task.status).toBe(200);
  return undefined;
}

it("gives each runner an agent and a task while a flood of bad tokens comes from their address (G-A9)", async () => {
  await using tested = await TestedAuthority.start({ rateLimits: SCALED });
  const fleet = await createFleet(tested);
  await flood(tested, SCALED.refusalsPerMinute + 1);
  const bad = Array.from({ length: 4 }, () => flood(tested, 80));
  const waits: (number | undefined)[] = [];
  for (let i = 0; i < RUNNERS; i += 10) {
    waits.push(
      ...(await Promise.all(fleet.slice(i, i + 10).map((runner) => start(tested, runner)))),
    );
  }
  await Promise.all(bad);
  expect(waits.filter((wait) => wait !== undefined)).toEqual([]);
  expect(await tested.authority.registry.listTasks()).toHaveLength(RUNNERS);
});

it("lets runners that wait for Retry-After in later while a stronger flood goes on, each with its task (G-A9)", async () => {
  // Fewer looks at credentials than there are bad ones in each minute.
  await using tested = await TestedAuthority.start({
    rateLimits: { ...SCALED, refusalsPerMinute: 5, addressPerMinute: 20 },
  });
  let waiting = await createFleet(tested);
  let minutes = 0;
  while (waiting.length > 0 && minutes < 20) {
    const left: Runner[] = [];
    let seconds = 0;
    await flood(tested, 6);
    for (const runner of waiting) {
      await flood(tested, 1);
      const wait = await start(tested, runner);
      if (wait === undefined) continue;
      left.push(runner);
      seconds = Math.max(seconds, wait);
    }
    waiting = left;
    minutes += 1;
    tested.clock.nowMs += seconds * 1_000;
  }
  expect(waiting).toEqual([]);
  expect(minutes).toBeGreaterThan(1);
  expect(await tested.authority.registry.listTasks()).toHaveLength(RUNNERS);
});

it("looks at no more credentials from one address than the limits say, however many come", async () => {
  await using tested = await TestedAuthority.start({
    rateLimits: { refusalsPerMinute: 5, addressPerMinute: 20 },
  });
  // The one that found the refusals used up was looked at before the process knew it.
  await flood(tested, 5 + 1 + 20);
  const last = await registerWith(tested, { token: NO_TOKEN, key: AgentKey.generate() });
  expectRefusal(last, 429, "rate_limited");
  expect(last.headers["ratelimit-policy"]).toBe('"address";q=20;w=60');
});
