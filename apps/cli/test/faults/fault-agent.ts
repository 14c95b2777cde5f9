import { AssertionSigner } from "@countersign/agent-assertion";
import { withAssertion } from "@countersign/agent-assertion/fetch";
import { AgentIdentityManager, fixedAuth, memoryStore } from "@countersign/agent-identity";
import { AuthorityClient } from "@countersign/agent-identity/authority-client";
import { AgentTaskManager, type AgentThread } from "@countersign/agent-task";
import { pacedBy } from "@countersign/testing";
import { onTestFinished } from "vitest";

/** What an agent of a test is made with. */
export interface FaultAgentOptions {
  readonly authority: string;
  readonly accessToken: string;
  /** Its clock, epoch ms. Default `Date.now`. */
  readonly now?: () => number;
}

/** One agent in this process, with everything that a harness would use. */
export interface FaultAgent {
  readonly tasks: AgentTaskManager;
  readonly signer: AssertionSigner;
  /**
   * Makes what sends the turns of a thread: each is a POST of its id to `/v1/turns/{id}`.
   *
   * @returns the answer's status and text
   */
  turns(
    thread: AgentThread,
    origin: string,
  ): (id: string) => Promise<{ readonly status: number; readonly text: string }>;
}

/** Makes an agent of `user-1` of `acct-1` that ends with the test. Its retries at the authority do not wait. */
export function startFaultAgent(options: FaultAgentOptions): FaultAgent {
  const { authority, accessToken, now } = options;
  const identities = new AgentIdentityManager({
    authority,
    auth: fixedAuth({ kind: "human", accountId: "acct-1", userId: "user-1", accessToken }),
    store: memoryStore(),
    features: { isEnabled: () => true },
    client: new AuthorityClient({ authority, now, attempts: 3, ...pacedBy() }),
    now,
  });
  const tasks = new AgentTaskManager({ identities, now });
  onTestFinished(async () => {
    await tasks.close();
    await identities.close();
  });
  const signer = new AssertionSigner({ now });
  return {
    tasks,
    signer,
    turns(thread, origin) {
      const api = withAssertion(fetch, thread, { origins: [origin], signer });
      return async (id) => {
        const answer = await api(`${origin}/v1/turns/${id}`, { method: "POST", body: id });
        return { status: answer.status, text: await answer.text() };
      };
    },
  };
}
