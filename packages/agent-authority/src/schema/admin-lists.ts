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
  .describe("The value of `after` that asks for the next page. Absent: this is the last page.");

/** Answer of `GET /v1/admin/tokens`. */
export const accessTokenListSchema = z
  .object({
    tokens: z.array(accessTokenEntrySchema).describe("The access tokens of this page."),
    next,
  })
  .describe("A page of access tokens.");

/** Answer of `GET /v1/admin/agents`. */
export const agentListSchema = z
  .object({ agents: z.array(agentEntrySchema).describe("The agents of this page."), next })
  .describe("A page of agents.");

/** Answer of `GET /v1/admin/tasks`. */
export const taskListSchema = z
  .object({ tasks: z.array(taskEntrySchema).describe("The tasks of this page."), next })
  .describe("A page of tasks.");

/** Answer of `GET /v1/admin/users`. */
export const userListSchema = z
  .object({ users: z.array(userEntrySchema).describe("The users of this page."), next })
  .describe("A page of users.");

/** Answer of `GET /v1/admin/accounts`. */
export const accountListSchema = z
  .object({ accounts: z.array(accountEntrySchema).describe("The accounts of this page."), next })
  .describe("A page of accounts.");

/** Answer of `GET /v1/admin/audit`. There is always a next question: events are still to come. */
export const auditEventListSchema = z
  .object({ events: z.array(auditEventEntrySchema).describe("The events, oldest first.") })
  .describe("A part of the audit log.");

/** Answer of `GET /v1/admin/find`. */
export const foundSchema = z
  .object({
    agents: z
      .array(agentEntrySchema)
      .describe(
        "Agents: those that the text names, then those of its events, then those with a claim of this value; of each the newest first.",
      ),
    tasks: z
      .array(taskEntrySchema)
      .describe(
        "Tasks: those that the text names, then those of its events, then those with this thread label, in the order of their labels; of each the newest first.",
      ),
    tokens: z
      .array(accessTokenEntrySchema)
      .describe(
        "Access tokens: those whose id it is, then those of this name; of each the newest first.",
      ),
    users: z.array(userEntrySchema).describe("Users, in the order of their ids."),
    accounts: z.array(accountEntrySchema).describe("Accounts, in the order of their ids."),
    events: z
      .array(auditEventEntrySchema)
      .describe("Events of the request, or from the address, that was searched for, newest first."),
    more: z.boolean().describe("Whether there is more of some kind than `limit`."),
  })
  .describe("Everything that a text may mean.");

/** Answer of `GET /v1/admin/signing-keys`. */
export const signingKeyListSchema = z
  .object({ signing_keys: z.array(signingKeyEntrySchema).describe("All keys, oldest first.") })
  .describe("The keys that identity JWTs are or were signed with.");
