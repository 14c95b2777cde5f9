import { join } from "node:path";
// @boundaries-ignore installed beside the programs
import { AgentIdentityManager, fixedAuth, memoryStore } from "@countersign/agent-identity";
// @boundaries-ignore installed beside the programs
import { AgentTaskManager, fileTaskStore } from "@countersign/agent-task";

const { AUTHORITY, ACCESS_TOKEN, HOME } = process.env;

/** What gives the human's login, of whom the authority made the token. */
export const auth = fixedAuth({
  ...{ kind: "human", accountId: "acct-1", userId: "user-1", accessToken: ACCESS_TOKEN },
});

/** Opens a thread of an agent of the human's. */
export function openThread() {
  const identities = new AgentIdentityManager({ authority: AUTHORITY, auth, store: memoryStore() });
  const tasks = new AgentTaskManager({ identities, store: fileTaskStore(join(HOME, "threads")) });
  const close = async () => {
    await tasks.close();
    await identities.close();
  };
  return { identities, thread: tasks.thread("thread-42"), close };
}
