import { AgentIdentityManager, type AuthSource, fileStore } from "@countersign/agent-identity";
import { AgentTaskManager, fileTaskStore } from "@countersign/agent-task";

export async function takeTurns(authority: string, auth: AuthSource, home: string) {
  const identities = new AgentIdentityManager({
    authority,
    auth,
    store: fileStore(home),
  });
  const tasks = new AgentTaskManager({ identities, store: fileTaskStore(`${home}/threads`) });
  const thread = tasks.thread("thread-42");
  thread.prewarm(); // while the human is still typing
  try {
    const first = await thread.run(async ({ task }) => `first turn in ${task?.taskId}`);
    const second = await thread.run(async ({ task }) => `second turn in ${task?.taskId}`);
    return [first, second];
  } finally {
    await tasks.close();
    await identities.close();
  }
}
