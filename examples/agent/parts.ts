import { withAssertion } from "@countersign/agent-assertion/fetch";
import { AgentIdentityManager, fileStore, loginAuth } from "@countersign/agent-identity";
import { AgentTaskManager, fileTaskStore } from "@countersign/agent-task";

export function openParts(authority: string, api: string, home: string) {
  const store = fileStore(home);
  const auth = loginAuth(store, authority); // the login that `countersign login` keeps
  const identities = new AgentIdentityManager({ authority, auth, store });
  const tasks = new AgentTaskManager({ identities, store: fileTaskStore(`${home}/threads`) });
  const thread = tasks.thread("thread-42");
  return { identities, tasks, thread, fetch: withAssertion(fetch, thread, { origins: [api] }) };
}
