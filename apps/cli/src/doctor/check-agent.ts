import { type AgentDirectory, createVerifier, memoryDirectory } from "@countersign/agent-assertion";
import { remoteDirectory } from "@countersign/agent-assertion/remote-directory";
import { AssertionSigner } from "@countersign/agent-assertion/sign";
import { headerAsync } from "@countersign/agent-assertion/sign-async";
import { CountersignError } from "@countersign/agent-key";
import type { AgentTask } from "@countersign/agent-task";
import type { Run } from "../config/run.js";
import { mayTellAnyone } from "../directory/directory-word.js";
import type { AgentSession } from "../session/agent-session.js";
import { ok, type Verdict, warn } from "./finding.js";

/** Looks at whether agents are wanted here. */
export function checkFeature({ identities }: AgentSession): Verdict {
  if (identities.enabled) return ok("use_agent_identity is on");
  return warn(
    "use_agent_identity is off: nothing is signed",
    "countersign features enable use_agent_identity",
  );
}

/** Looks at whether this machine's agent is registered. Registers nothing. */
export async function checkIdentity({ identities }: AgentSession): Promise<Verdict> {
  const identity = await identities.peek();
  if (identity !== undefined) return ok(identity.agentRuntimeId);
  return warn(
    "no agent is registered yet",
    "nothing: the first request does; or countersign identity ensure",
  );
}

/** Looks at whether the thread has a task. Registers nothing. */
export function checkTask(scope: string, task: AgentTask | undefined): Verdict {
  if (task !== undefined) return ok(`${task.taskId} of the thread ${scope}`);
  return warn(
    `the thread ${scope} has no task yet`,
    "nothing: its first request registers one; or countersign task ensure",
  );
}

/**
 * Signs an assertion as a request of the thread would, and verifies it as a resource server would: against the agent and task in the
 * authority's directory. If the directory requires a token, the agent's own key is used instead.
 *
 * @throws {AssertionRejected} with the code of the check that fails
 */
export async function checkEcho(run: Run, task: AgentTask): Promise<Verdict> {
  const { authority, agentRuntimeId, taskId, key } = task;
  const header = await headerAsync(new AssertionSigner(), {
    kind: "agent",
    ...{ authority, agentRuntimeId, taskId, key },
  });
  const verify = async (directory: AgentDirectory): Promise<void> => {
    try {
      await createVerifier({ directory }).verify(header, { signal: run.signal });
    } finally {
      await directory.close?.();
    }
  };
  if (await mayTellAnyone(run, authority)) {
    try {
      await verify(
        remoteDirectory(authority, { revocationDelaySeconds: 0, useReportSeconds: 0, ...run.http }),
      );
      return ok("a signed assertion is valid, by the agent and task in the authority's directory");
    } catch (error) {
      if (!CountersignError.is(error) || error.code !== "unauthenticated") throw error;
    }
  }
  await verify(ownDirectory(task));
  return ok(
    "a signed assertion is valid, by the agent's own key; the authority's directory requires a token",
  );
}

function ownDirectory({ agentRuntimeId, taskId, key }: AgentTask): AgentDirectory {
  return memoryDirectory({
    // Only a name: no request is sent there.
    authority: "http://localhost",
    agents: [
      {
        agentRuntimeId,
        accountId: "",
        userId: "",
        capabilities: [],
        publicKeys: [key.publicKey],
        state: "active",
      },
    ],
    tasks: [{ agentRuntimeId, taskId, state: "active" }],
  });
}
