import * as z from "zod";
import { code, lifeState, principalId, serverId, timestamp } from "./wire-fields.js";

// agent-assertion reads and makes these bodies without schemas, so that a verifier loads no library for them. The tests hold every answer to these.

/** What the directory answers about an agent and, if asked for, one of its tasks (protocol.md §5.8). */
export const directoryRecordSchema = z.object({
  agent_runtime_id: serverId,
  account_id: principalId,
  user_id: principalId,
  capabilities: z.array(z.string().min(1).max(256)).max(256),
  // One key, or two while one is rotated.
  agent_public_keys: z.array(z.string()).min(1).max(8),
  agent_state: lifeState,
  expires_at: timestamp.optional(),
  // Null for a task that is unknown or another agent's, and if no task was asked for.
  task: z
    .object({ task_id: serverId, state: lifeState, expires_at: timestamp.optional() })
    .nullish(),
});

/** Body of an introspection: `{authorization}`, the whole value of the field that a resource server received. Unknown members are ignored. */
export const introspectionRequestSchema = z.object({
  // Larger than the 8 KiB that an assertion may have, so that one that is too long is answered as malformed.
  authorization: z.string().max(16_384),
});

/** Answer to an introspection (protocol.md §5.9). */
export const introspectionResponseSchema = z.discriminatedUnion("active", [
  z.object({
    active: z.literal(true),
    authority: z.string(),
    agent_runtime_id: serverId,
    task_id: serverId,
    account_id: principalId,
    user_id: principalId,
    capabilities: z.array(z.string()),
    issued_at: z.iso.datetime(),
    skew_seconds: z.int(),
  }),
  z.object({
    active: z.literal(false),
    code,
    agent_runtime_id: serverId.optional(),
    task_id: serverId.optional(),
    account_id: principalId.optional(),
    user_id: principalId.optional(),
  }),
]);

/** Answer to an agent that asks whether its own assertion holds (protocol.md §5.10). */
export const assertionWhoamiResponseSchema = z.object({
  agent_runtime_id: serverId,
  task_id: serverId,
  account_id: principalId,
  user_id: principalId,
});
