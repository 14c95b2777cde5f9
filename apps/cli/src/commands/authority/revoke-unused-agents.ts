import type { AgentInfo, Registry } from "@countersign/agent-authority";
import type { Run } from "../../config/run.js";
import { lifeFilterOf } from "../../session/list-filter.js";
import { type ChangeOptions, checkReason, toRow } from "../../session/registry-commands.js";
import { noteNothing, printRows, withRegistry } from "../../session/registry-session.js";
import { usageError } from "../../text/cli-error.js";
import { type Progress, withProgress } from "../../text/progress.js";

/** Options of `authority agents revoke`. */
export interface RevokeAgentsOptions extends ChangeOptions {
  readonly account?: string;
  readonly user?: string;
  readonly address?: string;
  readonly unusedSince?: string;
  readonly dryRun?: boolean;
}

const PART = 1_000;
const COLUMNS = [
  "agent_runtime_id",
  "account_id",
  "user_id",
  "state",
  "created_at",
  "last_used_at",
];

/**
 * `authority agents revoke --unused-since TIME`: revokes all live agents of a user, an account or an address that were not used since, one by one, and
 * prints them. If it ends before, those that are printed by another run with `--dry-run` are left.
 *
 * An agent that has registered a task since is spared: it is at work, also where nothing reports uses.
 */
export async function revokeUnusedAgents(run: Run, options: RevokeAgentsOptions): Promise<void> {
  const { account, user, address, unusedSince, reason, dryRun = false } = options;
  if (unusedSince === undefined || (account ?? user ?? address) === undefined) {
    throw usageError(
      "nothing says which agents",
      "give the id of one, or --unused-since with --user, --account or --address",
    );
  }
  checkReason(reason);
  const { revoked, spared } = await withRegistry(run, options, (registry, where) =>
    withProgress(run.output, "looking for unused agents", async (progress) => {
      const found = await findUnused(registry, options, run.signal);
      if (found.unused.length + found.spared === 0) noteNothing(run, "agent", where);
      if (dryRun) return { revoked: found.unused, spared: found.spared };
      const done = await revokeAll(registry, found.unused, {
        reason,
        progress,
        signal: run.signal,
      });
      return { revoked: done, spared: found.spared };
    }),
  );
  printRows(run, revoked.map(toRow), COLUMNS);
  if (dryRun)
    run.output.note(`${count(revoked.length)} would be revoked: without --dry-run they are`);
  else run.output.note(`revoked ${count(revoked.length)}`);
  if (spared > 0) run.output.note(`spared ${count(spared)}: with a task that was registered since`);
}

async function findUnused(
  registry: Registry,
  options: RevokeAgentsOptions,
  signal: AbortSignal,
): Promise<{ readonly unused: readonly AgentInfo[]; readonly spared: number }> {
  const nowMs = Date.now();
  const unused: AgentInfo[] = [];
  let spared = 0;
  let last: AgentInfo | undefined;
  for (;;) {
    const after = last && { ...last, id: last.agentRuntimeId };
    const filter = lifeFilterOf({ ...options, state: "active" }, after, nowMs);
    const part = await registry.listAgents({ ...filter, limit: PART });
    for (const agent of part) {
      signal.throwIfAborted();
      const { agentRuntimeId } = agent;
      const tasks = { agentRuntimeId, createdSince: filter.unusedSince, limit: 1 };
      if ((await registry.listTasks(tasks)).length === 0) unused.push(agent);
      else spared += 1;
    }
    last = part.at(-1);
    if (part.length < PART) return { unused, spared };
  }
}

async function revokeAll(
  registry: Registry,
  agents: readonly AgentInfo[],
  {
    reason,
    progress,
    signal,
  }: {
    readonly reason: string | undefined;
    readonly progress: Progress;
    readonly signal: AbortSignal;
  },
): Promise<readonly AgentInfo[]> {
  const revoked: AgentInfo[] = [];
  for (const { agentRuntimeId } of agents) {
    // What is done is done: the same command goes on with the others.
    if (signal.aborted) break;
    const entry = await registry.revokeAgent(agentRuntimeId, { reason });
    if (entry !== undefined) revoked.push(entry);
    progress.show(`revoked ${revoked.length - (revoked.length % 100)} of ${count(agents.length)}`);
  }
  return revoked;
}

function count(agents: number): string {
  return agents === 1 ? "1 agent" : `${agents} agents`;
}
