import { formatTimestamp } from "@countersign/agent-key";
import { escapeText } from "@countersign/agent-key/escaping";
import type { AgentTask } from "@countersign/agent-task";
import type { Run } from "../config/run.js";
import { resolveThread, resolveThreadLabel } from "../options/thread-option.js";
import {
  followTasks,
  hasTaskStore,
  openAgentSession,
  openTaskStore,
  requireFeature,
  requireLogin,
} from "../session/agent-session.js";
import { endTasks } from "../session/end-tasks.js";
import { CliError } from "../text/cli-error.js";
import { formatColumns } from "../text/output.js";
import { withProgress } from "../text/progress.js";

/** Options of commands about one thread. */
export interface ThreadOptions {
  readonly thread?: string;
}

/** A task as commands print it. */
export interface DescribedTask {
  readonly scope: string;
  readonly authority: string;
  readonly agent_runtime_id: string;
  readonly task_id: string;
  readonly registered_at: string;
  readonly expires_at?: string;
}

/** Describes a task for people and scripts. */
export function describeTask(task: AgentTask): DescribedTask {
  return {
    scope: String(task.scope),
    authority: task.authority,
    agent_runtime_id: task.agentRuntimeId,
    task_id: task.taskId,
    registered_at: task.registeredAt,
    ...(task.expiresAt === undefined ? {} : { expires_at: formatTimestamp(task.expiresAt) }),
  };
}

/** Options of `task ensure`. */
export interface EnsureTaskOptions extends ThreadOptions {
  readonly threadLabel?: string;
}

/** `task ensure`. */
export async function ensureTask(run: Run, options: EnsureTaskOptions): Promise<void> {
  const scope = resolveThread(options.thread, run.environment);
  const label = resolveThreadLabel(options.threadLabel);
  await using session = await openAgentSession(run);
  requireFeature(session);
  await requireLogin(session);
  const task = await withProgress(
    run.output,
    `registering a task with ${session.authority}`,
    (progress) => {
      followTasks(run, session, progress);
      return session.tasks.thread(scope, { label }).ensure({ signal: run.signal });
    },
  );
  print(run, scope, task);
}

/** `task show`. */
export async function showTask(run: Run, options: ThreadOptions): Promise<void> {
  const scope = resolveThread(options.thread, run.environment);
  await using session = await openAgentSession(run);
  await requireLogin(session);
  print(run, scope, await session.tasks.peek(scope));
}

/** `task list`. */
export async function listTasks(run: Run): Promise<void> {
  const threads = await (await openTaskStore(run)).list();
  const rows = threads.flatMap((thread) =>
    thread.tasks.map(
      ({ authority, agent_runtime_id, task_id, registered_at, expires_at }): DescribedTask => ({
        scope: String(thread.scope),
        authority,
        agent_runtime_id,
        task_id,
        registered_at,
        ...(expires_at === undefined ? {} : { expires_at }),
      }),
    ),
  );
  run.output.result(rows, () =>
    formatColumns(
      rows.map((row) => [escapeText(row.scope), row.task_id, row.agent_runtime_id, row.authority]),
    ),
  );
}

/** Options of `task forget`. */
export interface ForgetTaskOptions extends ThreadOptions {
  readonly revoke?: boolean;
}

/** `task forget`. With `--revoke` the tasks are ended at their authority first; if that fails, nothing is forgotten. */
export async function forgetTask(run: Run, options: ForgetTaskOptions): Promise<void> {
  const { revoke = false } = options;
  const scope = resolveThread(options.thread, run.environment);
  const revoked: string[] = [];
  // Where no task was ever stored there is nothing to lock either: forgetting makes no folder.
  const forgotten = (await hasTaskStore(run)) && (await forget(run, scope, revoke, revoked));
  run.output.result({ scope, forgotten, ...(revoke ? { revoked_tasks: revoked } : {}) }, () => [
    ...revoked.map((taskId) => `revoked ${taskId}`),
    forgotten
      ? `forgot the tasks of ${escapeText(scope)}`
      : `${escapeText(scope)} had no stored task`,
  ]);
}

async function forget(
  run: Run,
  scope: string,
  revoke: boolean,
  revoked: string[],
): Promise<boolean> {
  const store = await openTaskStore(run);
  const work = async () => {
    const stored = revoke ? await store.load(scope) : undefined;
    if (stored !== undefined) revoked.push(...(await endTasks(run, stored.tasks)));
    return await store.remove(scope);
  };
  return await store.withLock(scope, work, { signal: run.signal });
}

function print(run: Run, scope: string, task: AgentTask | undefined): void {
  if (task === undefined) {
    throw new CliError("unknown_task", `the thread ${scope} has no task`, {
      hint: "countersign task ensure --thread ID",
      exitCode: 1,
    });
  }
  const described = describeTask(task);
  run.output.result(described, () =>
    formatColumns(Object.entries(described).map(([name, value]) => [name, escapeText(value)])),
  );
}
