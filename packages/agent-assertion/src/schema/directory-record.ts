import {
  AgentPublicKey,
  formatTimestamp,
  isPrincipalId,
  isServerId,
  parseTimestamp,
} from "@countersign/agent-key";
import { z } from "zod";
import { AgentAssertionError } from "../agent-assertion-error.js";
import type { AgentRecord, TaskRecord } from "../directory/agent-directory.js";

const serverId = z.string().refine(isServerId, "no id of an authority");
const principalId = z.string().refine(isPrincipalId, "no account or user id");
const timestamp = z.string().refine(isTimestamp, "no timestamp YYYY-MM-DDTHH:MM:SSZ");
const lifeState = z.enum(["active", "revoked", "expired"]);

/** What the authority's directory answers about an agent and, where asked, one of its tasks (protocol.md §5.8). Unknown members are dropped. */
export const directoryRecordSchema = z.object({
  agent_runtime_id: serverId,
  account_id: principalId,
  user_id: principalId,
  capabilities: z.array(z.string().min(1).max(256)).max(256),
  // One key, or two while one is rotated; the bound keeps a hostile answer from costing a verification each.
  agent_public_keys: z.array(z.string()).min(1).max(8),
  agent_state: lifeState,
  expires_at: timestamp.optional(),
  // Null for a task that is unknown or another agent's, and where no task was asked for.
  task: z
    .object({ task_id: serverId, state: lifeState, expires_at: timestamp.optional() })
    .nullish(),
});

/** The directory's answer on the wire. */
export type DirectoryRecord = z.infer<typeof directoryRecordSchema>;

/** The directory's answer in the terms of this package. */
export interface DirectoryAnswer {
  readonly agent: AgentRecord;
  /** `undefined`: no such task of this agent, or none was asked for. */
  readonly task: TaskRecord | undefined;
}

/**
 * Reads the parsed JSON of a directory's answer. The caller compares the ids with those it asked for.
 *
 * @throws {AgentAssertionError} `bad_response` when it is not of the protocol's form, a public key that is none included
 * @see protocol.md §5.8
 */
export function parseDirectoryRecord(body: unknown): DirectoryAnswer {
  const result = directoryRecordSchema.safeParse(body);
  if (!result.success) throw badRecord(result.error);
  const record = result.data;
  const { task } = record;
  return {
    agent: {
      agentRuntimeId: record.agent_runtime_id,
      accountId: record.account_id,
      userId: record.user_id,
      capabilities: record.capabilities,
      publicKeys: record.agent_public_keys.map(parseKey),
      state: record.agent_state,
      expiresAt: toEpochMs(record.expires_at),
    },
    task: task
      ? { taskId: task.task_id, state: task.state, expiresAt: toEpochMs(task.expires_at) }
      : undefined,
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

function toEpochMs(text: string | undefined): number | undefined {
  return text === undefined ? undefined : parseTimestamp(text);
}

function isTimestamp(text: string): boolean {
  try {
    parseTimestamp(text);
    return true;
  } catch {
    // Its one error is that the text is no timestamp.
    return false;
  }
}

function parseKey(line: string): AgentPublicKey {
  try {
    return AgentPublicKey.parse(line);
  } catch (cause) {
    throw badRecord(cause);
  }
}

function badRecord(cause: unknown): AgentAssertionError {
  return new AgentAssertionError(
    "bad_response",
    "the directory's answer is not of the protocol's form",
    {
      cause,
      hint: "check that the authority's URL names an authority",
    },
  );
}
