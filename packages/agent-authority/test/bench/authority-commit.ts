/**
 * Measures how many tasks an authority's store registers in a second, 64 at a time: with a commit for each of them, and, as it does it, with
 * one commit for all that came in together. No HTTP, no signatures: the transactions of the service alone. Both take turns in slices of
 * 250 ms, so that whatever else the machine does falls on both; figures are medians of the slices.
 *
 * Exits 1 when, on SQLite, together is less than 3 times each alone. PostgreSQL makes a commit for each and lets the server group them: its
 * figures are for information. The file of SQLite lies in the system's folder for temporary files; in memory, where a commit costs nothing,
 * the comparison says nothing.
 *
 *     pnpm --filter @countersign/bench authority-commit
 */
import { openStore } from "../../src/index.js";
import { stampOf } from "../../src/registry/audit-stamp.js";
import { createLiveLimits } from "../../src/registry/live-limits.js";
import { lockAgent } from "../../src/registry/operate-agents.js";
import { registerTask } from "../../src/registry/register-task.js";
import type { AuthorityStore } from "../../src/store/authority-store.js";
import { type Transact, transactAlone } from "../../src/store/transact.js";
import { median, paceOf } from "./measure.js";
import { type DatabaseKind, databaseKinds } from "./measured-databases.js";
import { type SeededAgent, seedRegistry } from "./seed-registry.js";

const AGENTS = 64;
const SLICES = 15;
const SLICE_MS = 250;
const LEAST_RATIO = 3;
const POLICY = {
  taskTtlSeconds: undefined,
  taskIdleTtlSeconds: undefined,
  limitsOf: createLiveLimits({ maxLiveTasks: 10_000_000 }),
};

let holds = true;
for (const kind of await databaseKinds()) {
  const ratio = await measure(kind);
  if (kind.name === "SQLite" && ratio < LEAST_RATIO) holds = false;
}
console.log(`${holds ? "ok" : "FAIL"}: at least ${LEAST_RATIO} times on SQLite`);
process.exitCode = holds ? 0 : 1;

/** @returns together against each alone, both 64 at a time */
async function measure(kind: DatabaseKind): Promise<number> {
  await using database = await kind.create();
  await using store = await openStore(database.url);
  const agents = await seedRegistry(store, AGENTS, AGENTS);
  const alone = transactAlone(store.rows);
  const together: Transact = (run) => store.transaction(run);
  const ways = [
    { name: "a commit each, 1 at a time", transact: alone, concurrency: 1 },
    { name: "a commit each, 64 at a time", transact: alone, concurrency: AGENTS },
    { name: "as it is, 1 at a time", transact: together, concurrency: 1 },
    { name: "as it is, 64 at a time", transact: together, concurrency: AGENTS },
  ].map((way) => ({ ...way, slices: [] as number[] }));
  for (let slice = 0; slice <= SLICES; slice += 1) {
    for (const way of ways) {
      const pace = await paceOf(
        registration(store, agents, way.transact),
        way.concurrency,
        SLICE_MS,
      );
      // The first warms up.
      if (slice > 0) way.slices.push(pace);
    }
  }
  console.log(`\n${kind.name}, task registrations per second`);
  for (const { name, slices } of ways) {
    console.log(`${name.padEnd(28)} ${median(slices).toFixed(0).padStart(7)}`);
  }
  const [, each, , all] = ways.map(({ slices }) => median(slices));
  const ratio = (all ?? 0) / (each ?? 1);
  console.log(`${ratio.toFixed(1)} times with 64 at a time`);
  return ratio;
}

const WISH = { idempotencyKey: undefined, threadLabel: undefined };

function registration(
  store: AuthorityStore,
  agents: readonly SeededAgent[],
  transact: Transact,
): () => Promise<unknown> {
  let count = 0;
  return () => {
    const agent = agents[count % agents.length];
    count += 1;
    return transact(async (rows) => {
      const stamp = stampOf(store.now, { actor: `agent:${agent?.id}` });
      const locked = await lockAgent(rows, agent?.id ?? "", stamp);
      if (locked === undefined) throw new Error("the agent is gone");
      return registerTask(rows, locked, WISH, POLICY, stamp);
    });
  };
}
