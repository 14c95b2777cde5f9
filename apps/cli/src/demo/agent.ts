import { join } from "node:path";
import { withAssertion } from "@countersign/agent-assertion/fetch";
import {
  AgentIdentityManager,
  type CredentialStore,
  fileStore,
  loginAuth,
  removeLogin,
  saveLogin,
} from "@countersign/agent-identity";
import { formatTimestamp } from "@countersign/agent-key";
import { AgentTaskManager, fileTaskStore } from "@countersign/agent-task";
import {
  agentIdentityFeatures,
  type FeatureSet,
  resolveFeatures,
  switchSource,
} from "@countersign/feature-flags";
import type { CleanUp } from "./clean-up.js";
import type { Stage } from "./stage.js";

/** What came back to the agent. */
export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** The demo's agent: the packages put together as a harness would. */
export interface DemoAgent {
  readonly identities: AgentIdentityManager;
  readonly tasks: AgentTaskManager;
  /** Asks the authority whose token it is, and keeps it. */
  login(accessToken: string): Promise<{ readonly accountId: string; readonly userId: string }>;
  logout(): Promise<void>;
  switchFeature(on: boolean): void;
  /** One turn of a thread: one request to the API through the gateway. */
  turn(thread: string): Promise<Answer>;
}

/** Makes the {@link DemoAgent} with a home of its own. */
export function createDemoAgent(stage: Stage, cleanUp: CleanUp): DemoAgent {
  const home = join(stage.directory, "home");
  const store: CredentialStore = fileStore(home);
  let features = featuresWith(false);
  const identities = new AgentIdentityManager({
    authority: stage.authority.url,
    auth: loginAuth(store, stage.authority.url),
    store,
    features: { isEnabled: (key) => features.isEnabled(key) },
  });
  cleanUp.add(() => identities.close());
  const tasks = new AgentTaskManager({ identities, store: fileTaskStore(join(home, "threads")) });
  cleanUp.add(() => tasks.close());
  return {
    identities,
    tasks,
    async login(accessToken) {
      const human = await identities.client.whoami(accessToken);
      await saveLogin(store, {
        authority: identities.authority,
        account_id: human.accountId,
        user_id: human.userId,
        kind: "human",
        proof: "bearer",
        access_token: accessToken,
        logged_in_at: formatTimestamp(Date.now()),
      });
      return human;
    },
    async logout() {
      await removeLogin(store);
    },
    switchFeature(on) {
      features = featuresWith(on);
    },
    async turn(id) {
      const thread = tasks.thread(id);
      const api = withAssertion(fetch, thread, { origins: [stage.gatewayUrl] });
      return await thread.run(async () => {
        const answer = await api(`${stage.gatewayUrl}/v1/responses`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ input: `hello from ${id}`, stream: true }),
        });
        return { status: answer.status, body: await answer.text() };
      });
    },
  };
}

function featuresWith(on: boolean): FeatureSet<"use_agent_identity"> {
  const keys = on ? ["use_agent_identity"] : [];
  return resolveFeatures(agentIdentityFeatures, [switchSource({ enable: keys })]);
}
