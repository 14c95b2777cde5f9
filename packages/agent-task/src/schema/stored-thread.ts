import { isServerId } from "@countersign/agent-key";
import * as z from "zod";
import { AgentTaskError } from "../agent-task-error.js";

/** One task of a stored thread. Members it does not know are kept. */
export const storedTaskSchema = z.looseObject({
  authority: z.string().min(1),
  // Both ids go into signed text and paths, so a store that was tampered with must not bring in others.
  agent_runtime_id: z.string().refine(isServerId, "not a server's id"),
  task_id: z.string().refine(isServerId, "not a server's id"),
  expires_at: z.iso.datetime({ offset: true }).optional(),
  registered_at: z.string(),
});

/** A stored thread: one task for each agent, so that switching back continues. Members it does not know are kept. */
export const storedThreadSchema = z.looseObject({
  version: z.literal(1),
  scope: z.string().min(1),
  tasks: z.array(storedTaskSchema),
});

const versionSchema = z.looseObject({ version: z.number().gt(1) });

/** A stored task: `{authority, agent_runtime_id, task_id, expires_at?, registered_at}`. */
export type StoredTask = Readonly<z.infer<typeof storedTaskSchema>>;

/** A stored thread. Unknown members are kept. */
export interface StoredThread {
  readonly version: 1;
  /** The thread's id, or any name. */
  readonly scope: string;
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
  const parsed = storedThreadSchema.safeParse(value);
  if (!parsed.success) {
    const newer = versionSchema.safeParse(value).success;
    throw new AgentTaskError(
      "store_corrupt",
      newer ? `${where} was written by a newer version` : `${where} is no stored thread`,
      {
        cause: parsed.error,
        hint: newer
          ? "update Countersign"
          : `move ${where} away: the authority gives the same task again`,
      },
    );
  }
  if (scope !== undefined && parsed.data.scope !== scope) {
    throw new AgentTaskError("store_corrupt", `${where} belongs to another thread`, {
      hint: `move ${where} away: the authority gives the same task again`,
    });
  }
  return parsed.data;
}
