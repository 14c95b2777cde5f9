import { authPath, formatAuthFile, identityText, resolveAuthFile } from "./auth-file.js";
import { parseCodexIdentity } from "./codex-identity.js";
import { joinJsonMembers, splitJsonMembers } from "./json-text.js";
import { updateAuthFile } from "./update-auth-file.js";

/** Which task is removed, and whose it is. */
export interface RemovedCodexTask {
  readonly agentRuntimeId: string;
  readonly taskId: string;
}

/**
 * Removes `agent_identity.task_id` (generation C) from `auth.json` of a Codex home, so that the next start of Codex registers another task.
 * Everything else stays as it is written. Changes nothing if another agent or task stands there by now.
 *
 * @param codexHome - absolute, or begins with `~/`
 * @returns whether it was removed
 * @throws {StoreError} `config_invalid` if `codexHome` is a relative path; `store_denied`; `store_corrupt` if the file is not a JSON
 *   object; `store_locked`
 */
export async function removeCodexTask(
  codexHome: string,
  { agentRuntimeId, taskId }: RemovedCodexTask,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<boolean> {
  const target = await resolveAuthFile(authPath(codexHome));
  if (target === undefined) return false;
  let isRemoved = false;
  await updateAuthFile(
    target,
    (file) => {
      isRemoved = false;
      const text = file && identityText(file);
      if (file === undefined || text === undefined) return undefined;
      const identity = parseCodexIdentity(file.value.agent_identity, "");
      if (identity.kind !== "other" || identity.taskId !== taskId) return undefined;
      if (identity.entry?.agent_runtime_id !== agentRuntimeId) return undefined;
      isRemoved = true;
      const kept = splitJsonMembers(text).filter(({ name }) => name !== "task_id");
      return formatAuthFile(file, joinJsonMembers(kept));
    },
    signal,
  );
  return isRemoved;
}
