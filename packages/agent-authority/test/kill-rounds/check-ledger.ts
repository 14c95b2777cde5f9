import { hash } from "node:crypto";
import { expect } from "vitest";
import type { Rows } from "../../src/store/authority-store.js";
import type { AgentEntry, Ledger, TaskEntry } from "./ledger.js";

/** Expects that what clients were told is what the database holds: nothing that was acknowledged is lost, and nothing is there twice. */
export async function checkLedger(ledger: Ledger, rows: Rows): Promise<void> {
  const found = {
    agents: await rows.selectFrom("agents").selectAll().execute(),
    tasks: await rows.selectFrom("tasks").selectAll().execute(),
    events: await rows.selectFrom("audit_events").selectAll().where("code", "is", null).execute(),
    uses: await rows.selectFrom("biscuit_uses").selectAll().execute(),
  };
  const agentIds = found.agents.map((row) => row.agent_runtime_id);
  const taskIds = found.tasks.map((row) => row.task_id);
  const idsOf = (action: string, column: "agent_runtime_id" | "task_id") =>
    found.events.filter((event) => event.action === action).map((event) => String(event[column]));

  // Each is there with its event, and no event is without its agent or task.
  expect(sorted(idsOf("agent_registered", "agent_runtime_id"))).toEqual(sorted(agentIds));
  expect(sorted(idsOf("task_registered", "task_id"))).toEqual(sorted(taskIds));
  expect(sorted(idsOf("agent_proven", "agent_runtime_id"))).toEqual(
    sorted(found.agents.filter((row) => row.proven_at !== null).map((row) => row.agent_runtime_id)),
  );
  const agentsOfTasks = new Set(found.tasks.map((row) => row.agent_runtime_id));
  expect([...agentsOfTasks].filter((id) => !new Set(agentIds).has(id))).toEqual([]);

  // One key, one agent: the one that was answered.
  const byKey = groupBy(found.agents, (row) => row.public_key);
  expect([...byKey.values()].filter((same) => same.length > 1)).toEqual([]);
  expect(
    ledger.agents.filter((agent) => {
      const [row] = byKey.get(agent.key.publicKey.line) ?? [];
      const isThere = row?.user_id === agent.userId && agent.ids.has(row.agent_runtime_id);
      return agent.ids.size > 1 || (agent.ids.size === 1 && !isThere);
    }),
  ).toEqual([]);
  const barred = new Set(ledger.barredAgents.map((agent) => agent.key.publicKey.line));
  expect([...byKey.keys()].filter((line) => barred.has(line))).toEqual([]);

  // Each task that was answered is there, and one for each Idempotency-Key.
  const byTask = new Map(found.tasks.map((row) => [row.task_id, row]));
  expect(
    ledger.tasks.filter((task) =>
      [...task.ids].some((id) => !task.agent.ids.has(byTask.get(id)?.agent_runtime_id ?? "")),
    ),
  ).toEqual([]);
  const byHash = groupBy(found.tasks, (row) => `${row.agent_runtime_id} ${row.idempotency_hash}`);
  const keyed = ledger.tasks.filter((task) => task.idempotencyKey !== undefined);
  expect(
    keyed.filter((task) => {
      const same = byHash.get(hashOf(task)) ?? [];
      return task.ids.size > 1 || same.length > 1 || same.length < task.ids.size;
    }),
  ).toEqual([]);
  // Without one, at least what was answered and at most what was asked for.
  const unkeyed = ledger.tasks.filter((task) => task.idempotencyKey === undefined);
  for (const [agent, tasks] of groupBy(unkeyed, (task) => task.agent)) {
    const there = byHash.get(`${idOf(agent)} null`)?.length ?? 0;
    expect(there).toBeGreaterThanOrEqual(sum(tasks.map((task) => task.ids.size)));
    expect(there).toBeLessThanOrEqual(sum(tasks.map((task) => task.attempts)));
  }

  // A biscuit is spent exactly if what it was spent on is there, and taken once at most.
  const used = new Set(found.uses.map((row) => row.biscuit_hash));
  expect(ledger.biscuits.filter(({ taken }) => taken > 1)).toEqual([]);
  expect(
    ledger.biscuits.filter(({ biscuit, spentOn, taken }) => {
      const isUsed = used.has(hash("sha256", biscuit, "hex"));
      const isThere =
        "key" in spentOn ? byKey.has(spentOn.key.publicKey.line) : byHash.has(hashOf(spentOn));
      return isUsed !== isThere || (taken === 1 && !isUsed);
    }),
  ).toEqual([]);
  expect(ledger.unexpected).toEqual([]);
}

function hashOf({ agent, idempotencyKey = "" }: TaskEntry): string {
  return `${idOf(agent)} ${hash("sha256", idempotencyKey, "hex")}`;
}

function idOf(agent: AgentEntry): string {
  const [id = ""] = agent.ids;
  return id;
}

function sorted(ids: readonly string[]): string[] {
  return ids.toSorted();
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0);
}

function groupBy<T, K>(items: readonly T[], keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return groups;
}
