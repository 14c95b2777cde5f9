import { withAssertion } from "@countersign/agent-assertion/fetch";
import { AgentIdentityManager, fileStore, fixedAuth } from "@countersign/agent-identity";
import { AgentTaskManager, fileTaskStore } from "@countersign/agent-task";

const { AUTHORITY = "http://127.0.0.1:4600", API = "http://127.0.0.1:4700" } = process.env;
const { ACCESS_TOKEN = "", AGENT_HOME = "~/.my-agent" } = process.env;

const identities = new AgentIdentityManager({
  authority: AUTHORITY,
  auth: fixedAuth({
    kind: "human",
    accountId: "acct-1",
    userId: "user-1",
    accessToken: ACCESS_TOKEN,
  }),
  store: fileStore(AGENT_HOME),
});
const tasks = new AgentTaskManager({ identities, store: fileTaskStore(`${AGENT_HOME}/threads`) });

const thread = tasks.thread("thread-42");
thread.prewarm(); // while the human is still typing
const api = withAssertion(fetch, thread, { origins: [API] });
const answer = await thread.run(() => api(`${API}/v1/hello`, { method: "POST", body: "{}" }));
console.log(answer.status, await answer.text());
await tasks.close();
