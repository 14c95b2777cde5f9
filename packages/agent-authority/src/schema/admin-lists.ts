import * as z from "zod";
import {
  accessTokenEntrySchema,
  accountEntrySchema,
  agentEntrySchema,
  auditEventEntrySchema,
  signingKeyEntrySchema,
  taskEntrySchema,
  userEntrySchema,
} from "./registry-entries.js";

const next = z
  .string()
  .exactOptional()
  .describe("What `after` is in the question for the next page. Absent: this is the last one.");

/** Answer of `GET /v1/admin/tokens`. */
export const accessTokenListSchema = z.object({ tokens: z.array(accessTokenEntrySchema), next });

/** Answer of `GET /v1/admin/agents`. */
export const agentListSchema = z.object({ agents: z.array(agentEntrySchema), next });

/** Answer of `GET /v1/admin/tasks`. */
export const taskListSchema = z.object({ tasks: z.array(taskEntrySchema), next });

/** Answer of `GET /v1/admin/users`. */
export const userListSchema = z.object({ users: z.array(userEntrySchema), next });

/** Answer of `GET /v1/admin/accounts`. */
export const accountListSchema = z.object({ accounts: z.array(accountEntrySchema), next });

/** Answer of `GET /v1/admin/audit`. There is always a next question: events are still to come. */
export const auditEventListSchema = z.object({ events: z.array(auditEventEntrySchema) });

/** Answer of `GET /v1/admin/signing-keys`. */
export const signingKeyListSchema = z.object({ signing_keys: z.array(signingKeyEntrySchema) });
