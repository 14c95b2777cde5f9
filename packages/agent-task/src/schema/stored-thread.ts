import { isInstant, isServerId, isThreadLabel } from "@countersign/agent-key";
import * as v from "valibot";
import { AgentTaskError } from "../agent-task-error.js";

const serverId = v.pipe(
  v.string(),
  v.check((id: string) => isServerId(id), "not a server's id"),
);

/** One task of a stored thread. Members it does not know are kept. */
export const storedTaskSchema = v.looseObject({
  authority: v.pipe(v.string(), v.nonEmpty()),
  // Both ids go into signed text and paths, so a store that was tampered with must not bring in others.
  agent_runtime_id: serverId,
  task_id: serverId,
  expires_at: v.optional(v.pipe(v.string(), v.check(isInstant, "not an instant of RFC 3339"))),
  registered_at: v.string(),
});

/** A stored thread: one task for each agent, so that switching back continues. Members it does not know are kept. */
export const storedThreadSchema = v.looseObject({
  version: v.literal(1),
  scope: v.pipe(v.string(), v.nonEmpty()),
  thread_label: v.optional(
    v.pipe(
      v.string(),
      v.check((label) => isThreadLabel(label), "not a thread label"),
    ),
  ),
  tasks: v.array(storedTaskSchema),
});

const versionSchema = v.looseObject({ version: v.pipe(v.number(), v.gtValue(1)) });

/** A stored task: `{authority, agent_runtime_id, task_id, expires_at?, registered_at}`. */
export type StoredTask = Readonly<v.InferOutput<typeof storedTaskSchema>>;

/** A stored thread. Unknown members are kept. */
export interface StoredThread {
  readonly version: 1;
  /** The thread's id, or any name. */
  readonly scope: string;
  /** What its tasks are called at the authority. Absent: nothing. */
  readonly thread_label?: string | undefined;
  /** One for each agent. */
  readonly tasks: readonly StoredTask[];
  readonly [member: string]: unknown;
}

/**
 * Parses a stored thread.
 *
 * @param value - the parsed JSON, untrusted
 * @param where - the store's name for it, for the message
 * @param scope - the scope that was asked for; absent: any
 * @throws {AgentTaskError} `store_corrupt` when it has another form, belongs to another scope, or was written by a newer version
 */
export function parseStoredThread(value: unknown, where: string, scope?: string): StoredThread {
  const parsed = v.safeParse(storedThreadSchema, value);
  if (!parsed.success) {
    const newer = v.safeParse(versionSchema, value).success;
    throw new AgentTaskError(
      "store_corrupt",
      newer ? `${where} was written by a newer version` : `${where} is no stored thread`,
      {
        hint: newer
          ? "update Countersign"
          : `move ${where} away: the authority gives the same task again`,
      },
    );
  }
  if (scope !== undefined && parsed.output.scope !== scope) {
    throw new AgentTaskError("store_corrupt", `${where} belongs to another thread`, {
      hint: `move ${where} away: the authority gives the same task again`,
    });
  }
  return parsed.output;
}
