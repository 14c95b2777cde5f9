// One process of a home. Makes ready, waits for a line, then has its agent (`agent`), then the task of each
// thread at once, and prints `thread task`.
import { once } from "node:events";
import { AgentIdentityManager, fileStore, fixedAuth } from "@countersign/agent-identity";
import { AgentTaskManager } from "../../src/agent-task-manager.js";
import { fileTaskStore } from "../../src/store/file-task-store.js";

const [authority = "", accessToken = "", home = "", ...threads] = process.argv.slice(2);
const identities = new AgentIdentityManager({
  authority,
  auth: fixedAuth({ kind: "human", accountId: "acct-1", userId: "user-1", accessToken }),
  store: fileStore(home),
  features: { isEnabled: () => true },
});
const tasks = new AgentTaskManager({ identities, store: fileTaskStore(`${home}/threads`) });
process.stdout.write("ready\n");
await once(process.stdin, "data");
process.stdin.destroy();
await identities.ensure();
process.stdout.write("agent\n");
const found = await Promise.all(threads.map((thread) => tasks.ensure(thread)));
for (const task of found) process.stdout.write(`${String(task?.scope)} ${task?.taskId}\n`);
await tasks.close();
await identities.close();
