import type { AgentDirectory, AgentRecord, TaskRecord } from "@countersign/agent-assertion";
import {
  type AgentPublicKey,
  CountersignError,
  isServerId,
  parseAuthority,
  parseTimestamp,
} from "@countersign/agent-key";
import { AgentAuthorityError } from "./agent-authority-error.js";
import { AUTHORITY_URL, checkOption, checkOptions, FLAG, STORE } from "./option-checks.js";
import { isWithin } from "./registry/account-scope.js";
import { findAgentKeys } from "./registry/agent-keys.js";
import { parseCapabilities } from "./registry/capabilities.js";
import { lifeStateOf } from "./registry/life-state.js";
import { noteOwnUse } from "./registry/note-own-use.js";
import { noteTaskUse } from "./registry/note-task-use.js";
import { type FoundAgent, findAgent } from "./registry/operate-agents.js";
import { type Instant, instantOf } from "./registry/times.js";
import type { AuthorityStore, Rows } from "./store/authority-store.js";
import type { TaskRow } from "./store/database.js";
import { prepareQuery } from "./store/prepared-query.js";

const selectTask = prepareQuery((rows, value: { agentRuntimeId: string; taskId: string }) =>
  rows
    .selectFrom("tasks")
    .select(["task_id", "expires_at", "revoked_at", "idle_seconds", "ttl_ends_at"])
    .where("task_id", "=", value.taskId)
    .where("agent_runtime_id", "=", value.agentRuntimeId),
);

/** Options of {@link databaseDirectory}. */
export interface DatabaseDirectoryOptions {
  /** Whether the last use of agents and tasks is written to the database. Default true. */
  readonly notesUses?: boolean | undefined;
}

/**
 * Gives verifiers the agents and tasks of a database directly, for instance to a gateway beside the authority. Nothing is cached: what is
 * revoked is refused at the next look. A look at a task is a use of it: where tasks end when they are not used, the look is written to the
 * database, soon after it. So is the last use of each agent whose assertion a verifier accepted. The store stays the caller's to close; once it is closed, each look rejects with `store_denied`.
 *
 * @param authority - the base URL of the authority whose database it is; assertions of another are not verified with it
 * @throws {AgentKeyError} `config_invalid` when it is no such URL
 * @throws {AgentAuthorityError} `config_invalid`, naming the argument, if one is missing or wrong
 */
export function databaseDirectory(
  store: AuthorityStore,
  authority: string,
  options: DatabaseDirectoryOptions = {},
): AgentDirectory {
  checkOption("store", store, STORE);
  checkOption("authority", authority, AUTHORITY_URL);
  checkOptions(options, { notesUses: FLAG });
  const { notesUses = true } = options;
  return {
    authority: parseAuthority(authority, {}, "authority"),
    agent: (agentRuntimeId) =>
      ofStore(store, () => findAgentRecord(store.rows, agentRuntimeId, instantOf(store.now))),
    task: (agentRuntimeId, taskId) =>
      ofStore(store, () => findTaskRecord(store, agentRuntimeId, taskId, instantOf(store.now))),
    ...(notesUses && {
      noteUse: (agentRuntimeId, taskId) => noteOwnUse(store, agentRuntimeId, taskId),
    }),
  };
}

/** The part of a directory that is about some accounts: to its reader, an agent of another account does not exist, nor its tasks. */
export function directoryWithin(
  directory: AgentDirectory,
  accounts: readonly string[],
): AgentDirectory {
  const agentWithin: AgentDirectory["agent"] = async (agentRuntimeId, options) => {
    const agent = await directory.agent(agentRuntimeId, options);
    return agent && isWithin(accounts, agent.accountId) ? agent : undefined;
  };
  return {
    ...directory,
    agent: agentWithin,
    async task(agentRuntimeId, taskId, options) {
      if ((await agentWithin(agentRuntimeId, options)) === undefined) return undefined;
      return await directory.task(agentRuntimeId, taskId, options);
    },
  };
}

// What a database throws that is closed has no code, and a directory that cannot tell rejects with one. Anything else without a code is a defect,
// and stays one.
async function ofStore<T>(store: AuthorityStore, look: () => Promise<T>): Promise<T> {
  try {
    return await look();
  } catch (error) {
    if (CountersignError.is(error) || !store.isClosed) throw error;
    throw new AgentAuthorityError("store_denied", "the database cannot be read", {
      cause: error,
      hint: "keep the store open for as long as its directory is used",
    });
  }
}

/** Returns what a verifier may learn about an agent. */
export async function findAgentRecord(
  rows: Rows,
  agentRuntimeId: string,
  instant: Instant,
): Promise<AgentRecord | undefined> {
  const row = await findAgent(rows, agentRuntimeId, instant);
  if (row === undefined) return undefined;
  const keys = await findAgentKeys(rows, row, instant);
  return toAgentRecord(
    row,
    keys.map(({ publicKey }) => publicKey),
    instant,
  );
}

/** Returns what a verifier may learn about a task, and notes that the task was used. `undefined` also if the task is another agent's. */
export async function findTaskRecord(
  store: AuthorityStore,
  agentRuntimeId: string,
  taskId: string,
  instant: Instant,
): Promise<TaskRecord | undefined> {
  if (!isServerId(taskId)) return undefined;
  const [row] = await selectTask(store.rows, { agentRuntimeId, taskId });
  return row && toTaskRecord(noteTaskUse(store, row, instant), instant);
}

function toAgentRecord(
  row: FoundAgent,
  publicKeys: readonly AgentPublicKey[],
  instant: Instant,
): AgentRecord {
  return {
    agentRuntimeId: row.agent_runtime_id,
    accountId: row.account_id,
    userId: row.user_id,
    capabilities: parseCapabilities(row.capabilities),
    publicKeys,
    state: lifeStateOf(row, instant),
    expiresAt: toEpochMs(row.expires_at),
  };
}

function toTaskRecord(
  row: Pick<TaskRow, "task_id" | "expires_at" | "revoked_at">,
  instant: Instant,
): TaskRecord {
  return {
    taskId: row.task_id,
    state: lifeStateOf(row, instant),
    expiresAt: toEpochMs(row.expires_at),
  };
}

function toEpochMs(text: string | null): number | undefined {
  return text === null ? undefined : parseTimestamp(text);
}
