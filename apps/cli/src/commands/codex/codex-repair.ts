import { escapeText } from "@countersign/agent-key/escaping";
import { loadCodexDestination } from "../../codex/codex-config-file.js";
import { type CodexTaskRepair, repairCodexTask } from "../../codex/codex-task.js";
import type { Run } from "../../config/run.js";
import { pathOption } from "../../home/home.js";
import { authorityOption } from "../../options/authority-option.js";
import { parseBaseUrl } from "../../options/http-url.js";
import { withProgress } from "../../text/progress.js";

/** Options of `codex repair`. */
export interface RepairCodexOptions {
  readonly codexHome: string;
  readonly authority?: string;
}

/** `codex repair`: removes the task of a Codex home if the authority says that it has ended. */
export async function repairCodex(run: Run, options: RepairCodexOptions): Promise<void> {
  const codexHome = pathOption(options.codexHome, "--codex-home");
  const named = authorityOption(options.authority);
  const authority =
    named === undefined
      ? (await loadCodexDestination(run, codexHome)).authority
      : parseBaseUrl(run, named);
  const repair = await withProgress(run.output, `asking ${authority} about the task`, () =>
    repairCodexTask(run, { codexHome, authority }),
  );
  const { task, ended, removed } = repair;
  const state = ended ?? (task === undefined ? null : "active");
  run.output.result(
    {
      codex_home: codexHome,
      authority,
      agent_runtime_id: task?.agentRuntimeId ?? null,
      task_id: task?.taskId ?? null,
      task_state: state,
      removed,
    },
    () => escapeText(describeRepair(codexHome, repair)),
  );
}

/** Says in a line what came of a repair. */
export function describeRepair(
  codexHome: string,
  { task, ended, removed }: CodexTaskRepair,
): string {
  if (task === undefined) return `${codexHome} holds no task; nothing was changed`;
  const { taskId } = task;
  if (ended === undefined) return `the task ${taskId} is alive; nothing was changed`;
  const what = `the task ${taskId} in ${codexHome} is ${ended}`;
  return removed
    ? `${what} and was removed; the next start of Codex registers another one`
    : `${what}, and Codex has replaced it already; nothing was changed`;
}
