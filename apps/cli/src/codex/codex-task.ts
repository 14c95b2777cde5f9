import { ASSERTION_WHOAMI_PATH, signAssertion } from "@countersign/agent-assertion";
import { AuthorityClient, AuthorityError } from "@countersign/agent-identity/authority-client";
import { AgentKey, type Code, formatTimestamp } from "@countersign/agent-key";
import type { CodeWith } from "@countersign/agent-key/codes";
import { type CodexKeyedAgent, loadCodexAgent, removeCodexTask } from "@countersign/codex-home";
import type { Run } from "../config/run.js";
import { CliError } from "../text/cli-error.js";
import { exportCommand } from "./codex-copies.js";

/** What the authority reports of a task that Codex must not go on with. */
export type EndedTask = "revoked" | "expired" | "unknown";

/** What came of a look at the task of a Codex home. */
export interface CodexTaskRepair {
  /** `undefined`: the home has no task of its own, since no Codex from 0.150 on has registered one there. */
  readonly task?: { readonly agentRuntimeId: string; readonly taskId: string } | undefined;
  /** `undefined`: the task is alive. */
  readonly ended?: EndedTask | undefined;
  /** Whether its id was removed from `auth.json`. False if Codex has replaced it since. */
  readonly removed: boolean;
}

/** What is repaired, and how long that may take. */
export interface RepairCodexTaskOptions {
  readonly codexHome: string;
  /** Normalised base URL; may be sent to. */
  readonly authority: string;
  /** Milliseconds for the question with all its attempts. Default: the client's. */
  readonly deadlineMs?: number | undefined;
}

// The codes that end a task alone: each needs its word here.
type EndingCode = Extract<CodeWith<"onAssertion", "new_task">, `${string}task${string}`>;

const ENDED: Readonly<Record<EndingCode, EndedTask>> = {
  task_revoked: "revoked",
  task_expired: "expired",
  unknown_task: "unknown",
};

/**
 * Asks the authority whether the one task of a Codex home (generation C) is alive, by an assertion of that task, and removes it from
 * `auth.json` if it is not: the next start of Codex then registers another one. Changes nothing else.
 *
 * @throws {CliError} `agent_revoked`, `agent_expired`, `unknown_agent`, `bad_signature` if the authority refuses the agent itself;
 *   `store_corrupt` if its key is not a key
 * @throws {AuthorityError} if the authority cannot be reached, or does not answer the question
 * @throws {StoreError} if `auth.json` cannot be read or written
 */
export async function repairCodexTask(
  run: Run,
  options: RepairCodexTaskOptions,
): Promise<CodexTaskRepair> {
  const agent = await loadCodexAgent(options.codexHome);
  if (agent?.generation !== "C" || agent.taskId === undefined) return { removed: false };
  const { agentRuntimeId, taskId } = agent;
  const task = { agentRuntimeId, taskId };
  const ended = await askForTask(run, options, agent, taskId);
  if (ended === undefined) return { task, removed: false };
  const removed = await removeCodexTask(options.codexHome, task, { signal: run.signal });
  return { task, ended, removed };
}

async function askForTask(
  run: Run,
  { codexHome, authority, deadlineMs }: RepairCodexTaskOptions,
  agent: CodexKeyedAgent,
  taskId: string,
): Promise<EndedTask | undefined> {
  const client = new AuthorityClient({ authority, ...run.asking });
  const headers = { authorization: signAsAgent(codexHome, agent, taskId) };
  const request = { method: "GET", path: ASSERTION_WHOAMI_PATH, headers } as const;
  try {
    await client.request(request, { deadlineMs, signal: run.signal });
    return undefined;
  } catch (error) {
    if (!AuthorityError.is(error)) throw error;
    if (isEnding(error.code)) return ENDED[error.code];
    throw refusedAgent(error, { codexHome, authority, agent });
  }
}

function isEnding(code: Code): code is EndingCode {
  return Object.hasOwn(ENDED, code);
}

function signAsAgent(
  codexHome: string,
  { privateKey, agentRuntimeId }: CodexKeyedAgent,
  taskId: string,
): string {
  try {
    const key = AgentKey.importPkcs8(privateKey);
    return signAssertion({ key, agentRuntimeId, taskId, timestamp: formatTimestamp(Date.now()) });
  } catch (error) {
    throw new CliError("store_corrupt", `the agent in ${codexHome} cannot sign`, {
      cause: error,
      hint: "its key or its task id is not valid; give Codex a new home: countersign codex export",
    });
  }
}

interface Asked {
  readonly codexHome: string;
  readonly authority: string;
  readonly agent: CodexKeyedAgent;
}

function refusedAgent(error: AuthorityError, { codexHome, authority, agent }: Asked): Error {
  const { agentRuntimeId } = agent;
  const newHome = "give Codex a new home: countersign codex export";
  const problems: Partial<Readonly<Record<Code, readonly [what: string, hint: string]>>> = {
    agent_revoked: [
      `has revoked the agent ${agentRuntimeId}`,
      `ask the authority's operator to restore it; or ${newHome}`,
    ],
    agent_expired: [`says that the agent ${agentRuntimeId} has expired`, newHome],
    unknown_agent: [
      `does not know the agent ${agentRuntimeId}`,
      `check that it is the authority that Codex registered with; if it is, ${newHome}`,
    ],
    bad_signature: [
      `does not accept the key of the agent ${agentRuntimeId}`,
      `if the key was rotated, run in the home that did so: ${exportCommand(codexHome, authority)}`,
    ],
  };
  const problem = problems[error.code];
  if (problem === undefined) return error;
  const [what, hint] = problem;
  return new CliError(error.code, `${authority} ${what}, which is in ${codexHome}`, {
    cause: error,
    hint,
  });
}
