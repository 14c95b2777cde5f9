import { isServerId, type OptionShape, parseAuthority } from "@countersign/agent-key";
import { AgentAssertionError } from "../agent-assertion-error.js";
import { AUTHORITY_URL, checkOptions } from "../internal/options.js";
import type { AgentDirectory, AgentRecord, TaskRecord } from "./agent-directory.js";

/** A task with the agent that it belongs to. */
export interface MemoryTaskRecord extends TaskRecord {
  readonly agentRuntimeId: string;
}

const SHAPES: Readonly<Record<string, OptionShape>> = {
  authority: AUTHORITY_URL,
  agents: { type: "list", expected: "a list of agents" },
  tasks: { type: "list", expected: "a list of tasks" },
};

/** What a {@link memoryDirectory} knows. */
export interface MemoryDirectoryOptions {
  /** The authority that made the ids; an https URL, or http to a loopback host. */
  readonly authority: string;
  readonly agents: readonly AgentRecord[];
  readonly tasks: readonly MemoryTaskRecord[];
}

/**
 * Makes a directory of fixed agents and tasks: for tests, and for verifying against a file.
 *
 * @throws {AgentKeyError} `config_invalid` for the authority
 * @throws {AgentAssertionError} `config_invalid` if an option is missing or wrong, an id is not one (protocol.md §3), or is there twice
 */
export function memoryDirectory(options: MemoryDirectoryOptions): AgentDirectory {
  checkOptions(options, SHAPES);
  const authority = parseAuthority(options.authority, {}, "authority");
  const agents = new Map<string, AgentRecord>();
  for (const agent of options.agents) {
    put(agents, requireId(agent.agentRuntimeId), agent);
  }
  const tasks = new Map<string, TaskRecord>();
  for (const task of options.tasks) {
    put(tasks, taskKey(requireId(task.agentRuntimeId), requireId(task.taskId)), task);
  }
  return {
    authority,
    agent: async (agentRuntimeId) => agents.get(agentRuntimeId),
    task: async (agentRuntimeId, taskId) => tasks.get(taskKey(agentRuntimeId, taskId)),
  };
}

// No id holds a slash (protocol.md §3), so that the pair is unambiguous.
function taskKey(agentRuntimeId: string, taskId: string): string {
  return `${agentRuntimeId}/${taskId}`;
}

function requireId(id: string): string {
  if (isServerId(id)) return id;
  throw new AgentAssertionError(
    "config_invalid",
    "each agent and task id must be one that a server may give (protocol.md §3)",
  );
}

function put<T>(map: Map<string, T>, key: string, value: T): void {
  if (map.has(key)) {
    throw new AgentAssertionError("config_invalid", "each agent and each task must be listed once");
  }
  map.set(key, value);
}
