// Registers, resumes and forgets one thread in a home with many stored ones, and prints as JSON what each did in the folder of threads.
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { AgentIdentityManager, fileStore, fixedAuth } from "@countersign/agent-identity";
import { countWork } from "@countersign/testing";
import { AgentTaskManager } from "../../src/agent-task-manager.js";
import type { StoredThread } from "../../src/schema/stored-thread.js";
import { fileTaskStore } from "../../src/store/file-task-store.js";
import { calls } from "./record-file-calls.mjs";

const [authority = "", accessToken = "", home = "", count = ""] = process.argv.slice(2);
const directory = `${home}/threads`;
const nameOf = (scope: string) => createHash("sha256").update(scope).digest("hex");

mkdirSync(directory, { recursive: true, mode: 0o700 });
for (let index = 0; index < Number(count); index += 1) {
  const scope = `stored-${index}`;
  const thread: StoredThread = { version: 1, scope, tasks: [] };
  writeFileSync(`${directory}/${nameOf(scope)}.json`, JSON.stringify(thread), { mode: 0o600 });
}
const scope = "thread-1";
// As a program that has just started.
function start(): AgentTaskManager {
  const identities = new AgentIdentityManager({
    authority,
    auth: fixedAuth({ kind: "human", accountId: "acct-1", userId: "user-1", accessToken }),
    store: fileStore(home),
    features: { isEnabled: () => true },
  });
  return new AgentTaskManager({ identities, store: fileTaskStore(directory) });
}
let tasks = start();
const did: Record<string, readonly string[]> = {};
did.register = await record(() => tasks.ensure(scope));
tasks = start();
did.resume = await record(() => tasks.ensure(scope));
const { resources } = await countWork(() => start().ensure(scope));
did.poolTasks = Object.keys(resources).filter((type) => type.startsWith("FSREQ"));
did.turn = await record(() => tasks.ensure(scope));
did.forget = await record(() => tasks.forget(scope));
process.stdout.write(JSON.stringify(did));

/** The calls below the folder of threads, with the thread's own name as THREAD and random words as WORD. */
async function record(run: () => Promise<unknown>): Promise<readonly string[]> {
  calls.splice(0);
  await run();
  return calls
    .filter(({ path }) => path.startsWith(directory))
    .map(({ call, path }) => {
      const name = path.slice(directory.length).replaceAll(nameOf(scope), "THREAD");
      return `${call} ${name.replaceAll(/[0-9a-f]{24,32}/g, "WORD") || "/"}`;
    });
}
