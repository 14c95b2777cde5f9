import { AuthorityClient, AuthorityError } from "@countersign/agent-identity/authority-client";
import { AgentKey } from "@countersign/agent-key";
import type { StoredTask } from "@countersign/agent-task";
import type { Run } from "../config/run.js";
import { openCredentialStore } from "../options/credential-store-option.js";
import { parseBaseUrl } from "../options/http-url.js";
import { CliError } from "../text/cli-error.js";
import { withProgress } from "../text/progress.js";

/**
 * Ends tasks at their authorities, each with the key of its agent. No login is needed. A task that its authority does not know any more has
 * ended.
 *
 * @returns the ids of the tasks
 * @throws {CliError} `no_identity` if the key of a task's agent is not in this home; nothing is ended then
 * @throws {AuthorityError} if an authority cannot be reached, or refuses
 */
export async function endTasks(run: Run, tasks: readonly StoredTask[]): Promise<string[]> {
  const { identities } = await (await openCredentialStore(run)).load();
  const wanted = tasks.map((task) => {
    const agent = identities.find(
      ({ authority, agent_runtime_id }) =>
        authority === task.authority && agent_runtime_id === task.agent_runtime_id,
    );
    if (agent?.private_key === undefined) throw agentAway(task);
    return { task, key: AgentKey.importPkcs8(agent.private_key) };
  });
  for (const { task, key } of wanted) {
    const authority = parseBaseUrl(run, { url: task.authority, from: "the stored task" });
    const client = new AuthorityClient({ authority, ...run.asking });
    const end = { agentRuntimeId: task.agent_runtime_id, taskId: task.task_id, key };
    await withProgress(run.output, `revoking ${task.task_id} at ${authority}`, async () => {
      try {
        await client.endTask(end, { signal: run.signal });
      } catch (error) {
        if (!isGone(error)) throw error;
      }
    });
  }
  return tasks.map(({ task_id }) => task_id);
}

function isGone(error: unknown): boolean {
  if (!AuthorityError.is(error)) return false;
  return error.code === "unknown_task" || error.code === "unknown_agent";
}

function agentAway({ agent_runtime_id, task_id }: StoredTask): CliError {
  return new CliError(
    "no_identity",
    `the key of the agent ${agent_runtime_id} of ${task_id} is not here`,
    {
      hint: "forget the task without --revoke, or ask the operator to revoke it",
    },
  );
}
