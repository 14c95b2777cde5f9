/**
 * Makes a database of its own, fills it, reports its contents to the parent process, and removes it when the parent lets go of it. So the server
 * that is measured runs in a process that has done nothing but serve.
 *
 *     seeded-database.ts SQLite|PostgreSQL TASKS KNOWN-AGENTS
 */
import { once } from "node:events";
import { createRegistry, openStore } from "../../src/index.js";
import { databaseKinds } from "./measured-databases.js";
import { seedRegistry } from "./seed-registry.js";

const TASKS_OF_AGENT = 100;

const [kindName, tasks = "", known = ""] = process.argv.slice(2);
const kind = (await databaseKinds()).find(({ name }) => name === kindName);
if (kind === undefined) {
  process.send?.({ absent: `${kindName} does not answer` });
} else {
  const letGo = once(process, "disconnect");
  await using database = await kind.create();
  process.send?.(await fill(database.url));
  await letGo;
}
if (process.connected) process.disconnect();

async function fill(url: string): Promise<object> {
  await using store = await openStore(url);
  const tasksOfAgent = Math.min(TASKS_OF_AGENT, Number(tasks));
  const count = Number(tasks) / tasksOfAgent;
  const agents = await seedRegistry(store, count, Math.min(count, Number(known)), tasksOfAgent);
  const registry = createRegistry(store);
  const [first] = agents;
  const human = { accountId: "acct-0", userId: first?.userId ?? "", ttlSeconds: 86_400 } as const;
  const token = async (role: "human" | "resource_server") =>
    (await registry.createAccessToken({ ...human, role })).token;
  return {
    url,
    humanToken: await token("human"),
    resourceServerToken: await token("resource_server"),
    agents: agents.map(({ id, key, taskIds }) => ({ id, taskIds, pkcs8: key.exportPkcs8() })),
  };
}
