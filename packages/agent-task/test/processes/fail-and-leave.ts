// Fails to register tasks, closes nothing, and says what is left behind that would keep the process alive. Then it has to end by itself.
import { AgentIdentityManager, fixedAuth, memoryStore } from "@countersign/agent-identity";
import { AgentTaskManager } from "../../src/agent-task-manager.js";
import { TaskRegistrationError } from "../../src/task-registration-error.js";

const [authority = "", accessToken = "", proof = ""] = process.argv.slice(2);
const identities = new AgentIdentityManager({
  authority,
  auth: fixedAuth({
    kind: "human",
    accountId: "acct-1",
    userId: "user-1",
    accessToken,
    proof: proof === "biscuit" ? "biscuit" : "bearer",
  }),
  store: memoryStore(),
  features: { isEnabled: () => true },
});
const tasks = new AgentTaskManager({ identities, deadlineMs: 1500 });
tasks.prewarm("thread-1");
for (const thread of ["thread-1", "thread-2"]) {
  try {
    await tasks.ensure(thread);
    process.stdout.write("task\n");
  } catch (error) {
    process.stdout.write(`${TaskRegistrationError.is(error) ? error.code : error}\n`);
  }
}
for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
const left = process.getActiveResourcesInfo().filter((name) => /Timeout|TCP/.test(name));
process.stdout.write(`left ${JSON.stringify(left)}\n`);
