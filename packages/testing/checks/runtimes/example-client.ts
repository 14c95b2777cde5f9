/** Agents of the authority, and what one of them is answered by an example when its requests go to whatever `send` sends to. */
const CLIENT = `
import { withAssertion } from "@countersign/agent-assertion/fetch";
import { AgentIdentityManager, fixedAuth, memoryStore } from "@countersign/agent-identity";
import { AgentTaskManager, memoryTaskStore } from "@countersign/agent-task";

export function openAgent({ authority, accessToken }) {
  const human = { kind: "human", accountId: "acct-1", userId: "user-1", accessToken };
  const auth = fixedAuth(human);
  const identities = new AgentIdentityManager({ authority, auth, store: memoryStore() });
  const tasks = new AgentTaskManager({ identities, store: memoryTaskStore() });
  const close = async () => {
    await tasks.close();
    await identities.close();
  };
  return { identities, thread: tasks.thread("thread-1"), close };
}

export async function ask(options, origin, send) {
  const { identities, thread, close } = openAgent(options);
  const signed = withAssertion(send, thread, { origins: [origin] });
  const answer = await signed(origin + "/v1/hello", { method: "POST" });
  const { agent, task, account } = await answer.json();
  const { agentRuntimeId } = await identities.ensure();
  const { taskId } = await thread.credential();
  await close();
  return [answer.status, agent === agentRuntimeId, task === taskId, account];
}
`;

/** The client of the examples, which lies beside the packed packages. */
export const EXAMPLE_CLIENT = { file: "example-client.mjs", source: CLIENT } as const;
