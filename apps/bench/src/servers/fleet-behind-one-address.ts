import { randomBytes, randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { createRegistry, openStore } from "@countersign/agent-authority";
import { AuthorityClient } from "@countersign/agent-identity/authority-client";
import { AgentKey, formatTimestamp } from "@countersign/agent-key";
import { startLimitedAuthority } from "./authority.ts";
import { seedDatabase } from "./seeded-database.ts";
import type { Stage } from "./stage.ts";

const RUNNERS = 1_000;
// 50 each: within the default limits of one user.
const USERS = 20;
const AT_ONCE = 64;
// 3,000 a minute: five times the refusals of one address that are answered with their code.
const BAD_EACH_MS = 20;
const DEADLINE_MS = 180_000;
const ABOM = { agentVersion: "1", agentHarnessId: "bench", runningLocation: "bench" };

/** What became of the runners. */
export interface FleetResult {
  readonly runners: number;
  readonly agents: number;
  readonly tasks: number;
  /** Requests of the flood, by status; 0 without an answer. */
  readonly flood: ReadonlyMap<number, number>;
  readonly ms: number;
}

/** Registers an agent and a task for each of 1,000 runners, while bad tokens come from the same address without end. */
export async function runFleet(
  stage: Stage,
  kind: "SQLite" | "PostgreSQL",
  signal: AbortSignal,
): Promise<FleetResult> {
  const database = stage.own(await seedDatabase(kind, { tasks: 100, knownAgents: 1 }));
  const tokens = await createTokens(database.url);
  const { url } = stage.own(await startLimitedAuthority(database));
  const flooding = new AbortController();
  const ended = AbortSignal.any([signal, flooding.signal]);
  const flood = new Map<number, number>();
  const attack = floodWith(url, flood, ended);
  // The flood comes first: it has used up its refusals before the first runner asks.
  while ((flood.get(429) ?? 0) === 0) await sleep(BAD_EACH_MS, undefined, { signal });
  const startedAt = performance.now();
  const counts = { agents: 0, tasks: 0 };
  const waiting = tokens.values();
  const work = async () => {
    for (const token of waiting) {
      signal.throwIfAborted();
      await start(url, token, counts);
    }
  };
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  } finally {
    flooding.abort();
    await attack;
  }
  return { runners: RUNNERS, ...counts, flood, ms: performance.now() - startedAt };
}

async function createTokens(database: string): Promise<readonly string[]> {
  const store = await openStore(database);
  try {
    const registry = createRegistry(store);
    const tokens: string[] = [];
    for (let i = 0; i < RUNNERS; i += 1) {
      const of = { accountId: "fleet", userId: `user-${i % USERS}`, ttlSeconds: 3_600 };
      tokens.push((await registry.createAccessToken({ ...of, role: "human" })).token);
    }
    return tokens;
  } finally {
    await store.close();
  }
}

async function floodWith(url: string, seen: Map<number, number>, signal: AbortSignal) {
  const open = new Set<Promise<void>>();
  while (!signal.aborted) {
    const sent = send(url)
      .then((status) => void seen.set(status, (seen.get(status) ?? 0) + 1))
      .finally(() => open.delete(sent));
    open.add(sent);
    await sleep(BAD_EACH_MS);
  }
  await Promise.all(open);
}

// Gives 0 for a request without an answer, for instance on a connection that was just closed for being idle.
async function send(url: string): Promise<number> {
  const token = `cs_human_${randomBytes(32).toString("base64url")}`;
  const headers = { authorization: `Bearer ${token}` };
  try {
    const answer = await fetch(`${url}/v1/whoami`, { headers });
    await answer.arrayBuffer();
    return answer.status;
  } catch {
    return 0;
  }
}

// What is not admitted within the deadline is not counted.
async function start(
  url: string,
  accessToken: string,
  counts: { agents: number; tasks: number },
): Promise<void> {
  const client = new AuthorityClient({ authority: url, deadlineMs: DEADLINE_MS });
  const key = AgentKey.generate();
  try {
    const { agentRuntimeId } = await client.registerAgent({
      accessToken,
      proof: "bearer",
      key,
      publicKey: key.publicKey,
      abom: ABOM,
      capabilities: [],
    });
    counts.agents += 1;
    const timestamp = formatTimestamp(Date.now());
    await client.request({
      method: "POST",
      path: `/v1/agent/${agentRuntimeId}/task/register`,
      headers: { "idempotency-key": randomUUID() },
      body: { signature: key.signText(`${agentRuntimeId}:${timestamp}`), timestamp },
    });
    counts.tasks += 1;
  } catch (error) {
    process.stderr.write(`${String(error)}\n`);
  }
}
