import {
  AgentIdentityManager,
  createAuthSlot,
  fileStore,
  loginAuth,
} from "@countersign/agent-identity";
import { AgentTaskManager } from "../../src/agent-task-manager.js";
import type { AgentThread } from "../../src/agent-thread.js";
import { fileTaskStore } from "../../src/store/file-task-store.js";

/** The thread of a home as a command has it (`login`: who is logged in stands in the home), or as the README's program has it (`slot`). */
export function openThread(
  kind: string,
  authority: string,
  home: string,
  accessToken: string,
): AgentThread {
  const store = fileStore(home);
  const slot = createAuthSlot({
    kind: "human",
    accountId: "acct-1",
    userId: "user-1",
    accessToken,
  });
  const identities = new AgentIdentityManager({
    authority,
    auth: kind === "login" ? loginAuth(store, authority) : slot,
    store,
  });
  const tasks = new AgentTaskManager({ identities, store: fileTaskStore(`${home}/threads`) });
  return tasks.thread("thread-1");
}
