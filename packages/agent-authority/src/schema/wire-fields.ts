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
export const lifeState = z.enum(["active", "revoked", "expired"]);

/** Whether a user or an account was ended. */
export const principalState = z.enum(["active", "revoked"]);

/** A code of protocol §9. */
export const code = z.enum(CODES);

/** Seconds that something is to live. */
export const ttlSeconds = z.number().int().min(1).max(315_360_000);
