import { isPrincipalId, isServerId } from "@countersign/agent-key";
import { CODES } from "@countersign/agent-key/codes";
import * as z from "zod";

// protocol §3. The pattern shows readers of the OpenAPI document exactly what the check accepts.
const SERVER_ID = /^[!$&-.0-9;=@A-Z[\]^_`a-z{|}~]{1,256}$/;
const PRINCIPAL_ID = /^[!#-+\--[\]-~]{1,256}$/;

/** An id that an authority made: of an agent, a task or an access token. */
export const serverId = z.string().regex(SERVER_ID).refine(isServerId, "no id of an authority");

/** An account's or a user's id. */
export const principalId = z
  .string()
  .regex(PRINCIPAL_ID)
  .refine(isPrincipalId, "no account or user id");

/** RFC 3339, UTC, whole seconds. */
export const timestamp = z.iso.datetime({ precision: 0 });

/** Whether something lives. */
export const lifeState = z
  .enum(["active", "revoked", "expired"])
  .describe("`active`, ended by an operator (`revoked`), or ended by its lifetime (`expired`).");

/** Whether a user or an account was ended. */
export const principalState = z
  .enum(["active", "revoked"])
  .describe("`active`, or ended by an operator (`revoked`).");

/** A code of protocol §9. */
export const code = z.enum(CODES).describe("The cause of a refusal, as a code of protocol §9.");

/** Seconds that something is to live. */
export const ttlSeconds = z
  .number()
  .int()
  .min(1)
  .max(315_360_000)
  .describe("The lifetime in whole seconds, at most ten years.");

// Members that mean the same wherever they stand.

/** An agent's id. */
export const agentRuntimeId = serverId.describe("The id of the agent, made by the authority.");

/** A task's id. */
export const taskId = serverId.describe("The id of the task, made by the authority.");

/** An account's id. */
export const accountId = principalId.describe("The id of the account.");

/** A user's id. */
export const userId = principalId.describe("The id of the user in the account.");

/** Granted capabilities. */
export const capabilities = z
  .array(z.string().min(1).max(256))
  .max(256)
  .describe("The capabilities that the authority granted. What the agent asked for is not shown.");

/** When something was made. */
export const createdAt = timestamp.describe("When it was made or first named.");

/** When something ends. */
export const expiresAt = timestamp.describe("When it ends. Absent: it has no fixed end.");

/** When something was revoked. */
export const revokedAt = timestamp.describe("When it was revoked. Absent: it was not.");
