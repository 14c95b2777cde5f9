import { sql } from "kysely";
import { createRegistry, openStore } from "../../src/index.js";
import { seedRegistry } from "./seed-registry.js";

const url = process.argv[2] ?? "";
const store = await openStore(url);
const registry = createRegistry(store);
await seedRegistry(store, 10_000, 1);
console.log("seeded");
await registry.revokeTask("task_00000500000-0000-7000-8000-000000000000");
async function time(name: string, run: () => Promise<readonly unknown[]>) {
  let worst = 0;
  let last = performance.now();
  const timer = setInterval(() => {
    const t = performance.now();
    worst = Math.max(worst, t - last);
    last = t;
  }, 1);
  const start = performance.now();
  const n = (await run()).length;
  const total = performance.now() - start;
  await new Promise((r) => setTimeout(r, 3));
  clearInterval(timer);
  console.log(
    name.padEnd(44),
    String(n).padStart(6),
    total.toFixed(0).padStart(6),
    "ms; loop blocked",
    worst.toFixed(0),
  );
}
async function all(label: string) {
  const mid = "task_00000500000-0000-7000-8000-000000000000";
  await time(`${label} tasks`, () => registry.listTasks({ limit: 100 }));
  await time(`${label} tasks after mid`, () => registry.listTasks({ limit: 1000, after: mid }));
  await time(`${label} tasks of agent`, () =>
    registry.listTasks({
      limit: 100,
      agentRuntimeId: "agent_00000005000-0000-7000-8000-000000000000",
    }),
  );
  await time(`${label} tasks of account`, () =>
    registry.listTasks({ limit: 100, accountId: "acct-7" }),
  );
  await time(`${label} tasks of acct-0`, () =>
    registry.listTasks({ limit: 100, accountId: "acct-0" }),
  );
  await time(`${label} tasks of acct-0 after mid`, () =>
    registry.listTasks({ limit: 100, accountId: "acct-0", after: mid }),
  );
  await time(`${label} tasks of user`, () =>
    registry.listTasks({ limit: 100, accountId: "acct-7", userId: "user-75" }),
  );
  await time(`${label} tasks revoked`, () => registry.listTasks({ limit: 100, state: "revoked" }));
  await time(`${label} tasks of acct-0 revoked`, () =>
    registry.listTasks({ limit: 100, state: "revoked", accountId: "acct-0" }),
  );
  await time(`${label} agents of acct-0 revoked`, () =>
    registry.listAgents({ limit: 100, state: "revoked", accountId: "acct-0" }),
  );
  await time(`${label} agents`, () => registry.listAgents({ limit: 100 }));
  await time(`${label} audit code`, () =>
    registry.listAuditEvents({ limit: 100, code: "forbidden" }),
  );
  await time(`${label} audit last`, () => registry.listAuditEvents({ last: 100 }));
  await time(`${label} audit agent last`, () =>
    registry.listAuditEvents({
      last: 10,
      agentRuntimeId: "agent_00000005000-0000-7000-8000-000000000000",
    }),
  );
}
await all("many");
await sql`update agents set account_id = 'acct-0', user_id = 'user-0'`.execute(store.rows);
if (store.kind === "postgres") await sql`vacuum analyze agents`.execute(store.rows);
await all("one");
await store.close();
