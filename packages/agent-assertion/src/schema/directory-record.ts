import {
  AgentPublicKey,
  formatTimestamp,
  isPrincipalId,
  isServerId,
  parseTimestamp,
} from "@countersign/agent-key";
import { AgentAssertionError } from "../agent-assertion-error.js";
import type { AgentRecord, LifeState, TaskRecord } from "../directory/agent-directory.js";

const STATES: readonly LifeState[] = ["active", "revoked", "expired"];
const MAX_CAPABILITIES = 256;
const MAX_CAPABILITY_CHARACTERS = 256;
// One key, or two while one is rotated; the bound keeps a hostile answer from costing a verification each.
const MAX_KEYS = 8;

/** What the authority's directory answers about an agent and, where asked, one of its tasks (protocol.md §5.8). */
export interface DirectoryRecord {
  readonly agent_runtime_id: string;
  readonly account_id: string;
  readonly user_id: string;
  /** At most 256, each of 1 to 256 characters. */
  readonly capabilities: readonly string[];
  /** One key, or two while one is rotated; at most 8. */
  readonly agent_public_keys: readonly string[];
  readonly agent_state: LifeState;
  /** `YYYY-MM-DDTHH:MM:SSZ`. */
  readonly expires_at?: string | undefined;
  /** `null` for a task that is unknown or another agent's, and if no task was asked for. */
  readonly task?:
    | {
        readonly task_id: string;
        readonly state: LifeState;
        readonly expires_at?: string | undefined;
      }
    | null
    | undefined;
}

/** The directory's answer in the terms of this package. */
export interface DirectoryAnswer {
  readonly agent: AgentRecord;
  /** `undefined`: no such task of this agent, or none was asked for. */
  readonly task: TaskRecord | undefined;
}

/**
 * Reads the parsed JSON of a directory's answer. The caller compares the ids with those it asked for.
 *
 * @throws {AgentAssertionError} `bad_response` if it is not of the protocol's form; unknown members are ignored
 * @see protocol.md §5.8
 */
export function parseDirectoryRecord(body: unknown): DirectoryAnswer {
  const record = membersOf(body, "it");
  const { task } = record;
  return {
    agent: {
      agentRuntimeId: textOf(record, "agent_runtime_id", isServerId),
      accountId: textOf(record, "account_id", isPrincipalId),
      userId: textOf(record, "user_id", isPrincipalId),
      capabilities: textsOf(record, "capabilities", 0, MAX_CAPABILITIES).map(capability),
      publicKeys: textsOf(record, "agent_public_keys", 1, MAX_KEYS).map(parseKey),
      state: stateOf(record, "agent_state"),
      expiresAt: instantOf(record),
    },
    task: task === undefined || task === null ? undefined : taskOf(membersOf(task, "task")),
  };
}

/** Makes the directory's answer about an agent and, if it exists, the task that was asked for. Instants are rounded down to whole seconds. */
export function createDirectoryRecord(agent: AgentRecord, task?: TaskRecord): DirectoryRecord {
  return {
    agent_runtime_id: agent.agentRuntimeId,
    account_id: agent.accountId,
    user_id: agent.userId,
    capabilities: [...agent.capabilities],
    agent_public_keys: agent.publicKeys.map((key) => key.line),
    agent_state: agent.state,
    ...expiry(agent.expiresAt),
    task: task ? { task_id: task.taskId, state: task.state, ...expiry(task.expiresAt) } : null,
  };
}

function expiry(expiresAt: number | undefined): { expires_at?: string } {
  return expiresAt === undefined ? {} : { expires_at: formatTimestamp(expiresAt) };
}

type Members = Readonly<Record<string, unknown>>;

function taskOf(task: Members): TaskRecord {
  return {
    taskId: textOf(task, "task_id", isServerId),
    state: stateOf(task, "state"),
    expiresAt: instantOf(task),
  };
}

function membersOf(value: unknown, name: string): Members {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw badRecord(`${name} is not an object`);
  }
  return value as Members;
}

function textOf(members: Members, name: string, holds: (text: string) => boolean): string {
  const value = members[name];
  if (typeof value !== "string" || !holds(value)) throw badRecord(`${name} is not valid`);
  return value;
}

function textsOf(members: Members, name: string, least: number, most: number): readonly string[] {
  const value = members[name];
  const isList = Array.isArray(value) && value.length >= least && value.length <= most;
  if (!isList || !value.every((item) => typeof item === "string")) {
    throw badRecord(`${name} is not a list of ${least} to ${most} texts`);
  }
  return value;
}

function capability(text: string): string {
  // A character is one or two UTF-16 units: only texts between the two bounds are counted.
  const isLong =
    text.length > MAX_CAPABILITY_CHARACTERS &&
    (text.length > 2 * MAX_CAPABILITY_CHARACTERS || [...text].length > MAX_CAPABILITY_CHARACTERS);
  if (text === "" || isLong) throw badRecord("a capability is not valid");
  return text;
}

function stateOf(members: Members, name: string): LifeState {
  const state = STATES.find((known) => known === members[name]);
  if (state === undefined) throw badRecord(`${name} is not ${STATES.join(", ")}`);
  return state;
}

function instantOf({ expires_at: text }: Members): number | undefined {
  if (text === undefined) return undefined;
  try {
    // Takes any value, and throws for one that is not a timestamp.
    return parseTimestamp(text as string);
  } catch (cause) {
    throw badRecord("expires_at is not a timestamp", cause);
  }
}

function parseKey(line: string): AgentPublicKey {
  try {
    return AgentPublicKey.parse(line);
  } catch (cause) {
    throw badRecord("a key is not valid", cause);
  }
}

function badRecord(what: string, cause?: unknown): AgentAssertionError {
  return new AgentAssertionError(
    "bad_response",
    `the directory's answer is not of the protocol's form: ${what}`,
    { cause, hint: "check that the authority's URL names an authority" },
  );
}
