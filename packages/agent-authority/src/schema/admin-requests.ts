import * as z from "zod";
import { AUDITED_CHANGES, AUDITED_REQUESTS } from "../registry/audit-types.js";
import { TOKEN_ROLES } from "../registry/roles-and-states.js";
import {
  code,
  lifeState,
  principalId,
  principalState,
  serverId,
  ttlSeconds,
} from "./wire-fields.js";

/** The most entries of one answer, so that it fits into what clients read of one. */
export const MAX_PAGE = 1_000;
const DEFAULT_PAGE = 100;

const page = z.coerce.number().int().min(1).max(MAX_PAGE);
const limit = page.default(DEFAULT_PAGE).describe("Number of entries.");
const after = serverId.exactOptional().describe("The id of the last one seen.");

// A filter that is misspelt must not list everything: all of these are strict.

/** `GET /v1/admin/tokens`. */
export const accessTokenQuerySchema = z.strictObject({
  account_id: principalId.exactOptional(),
  user_id: principalId.exactOptional(),
  role: z.enum(TOKEN_ROLES).exactOptional(),
  after,
  limit,
});

/** `GET /v1/admin/agents`. */
export const agentQuerySchema = z.strictObject({
  account_id: principalId.exactOptional(),
  user_id: principalId.exactOptional(),
  state: lifeState.exactOptional(),
  after,
  limit,
});

/** `GET /v1/admin/tasks`. */
export const taskQuerySchema = agentQuerySchema.extend({
  agent_runtime_id: serverId.exactOptional(),
});

/** `GET /v1/admin/users`. */
export const userQuerySchema = z.strictObject({
  account_id: principalId.exactOptional(),
  state: principalState.exactOptional(),
  after: z
    .string()
    .regex(/^[!#-+\--[\]-~]{1,256},[!#-+\--[\]-~]{1,256}$/)
    .exactOptional()
    .describe("Account and user id of the last one seen, with a comma between them."),
  limit,
});

/** `GET /v1/admin/accounts`. */
export const accountQuerySchema = z.strictObject({
  state: principalState.exactOptional(),
  after: principalId.exactOptional().describe("The id of the last one seen."),
  limit,
});

/** `GET /v1/admin/audit`. */
export const auditQuerySchema = z.strictObject({
  after: z.coerce.number().int().min(0).default(0).describe("Only events with a greater sequence."),
  limit: page.exactOptional().describe("Number of events, the oldest ones. Default 100."),
  last: page.exactOptional().describe("Number of events, the newest ones, instead of limit."),
  action: z.enum([...AUDITED_CHANGES, ...AUDITED_REQUESTS]).exactOptional(),
  code: code.exactOptional().describe("Only refusals with this code."),
  account_id: principalId.exactOptional(),
  agent_runtime_id: serverId.exactOptional(),
});

/** The number of audit events where a query says none. */
export const DEFAULT_AUDIT_PAGE = DEFAULT_PAGE;

/** A query without parameters. */
export const noQuerySchema = z.strictObject({});

/** `POST /v1/admin/tokens`. */
export const createAccessTokenSchema = z.strictObject({
  account_id: principalId,
  user_id: principalId,
  role: z.enum(TOKEN_ROLES),
  ttl_seconds: ttlSeconds,
});

/** `POST /v1/admin/users/revoke` and `…/restore`. */
export const userBodySchema = z.strictObject({ account_id: principalId, user_id: principalId });

/** `POST /v1/admin/accounts/revoke` and `…/restore`. */
export const accountBodySchema = z.strictObject({ account_id: principalId });

/** `POST /v1/admin/identities`. */
export const issueIdentitySchema = z.strictObject({
  account_id: principalId,
  user_id: principalId,
  ttl_seconds: ttlSeconds,
  email: z.string().max(1_024).exactOptional(),
  plan_type: z.string().max(256).exactOptional(),
  issuer: z.string().max(1_024).exactOptional(),
  audience: z.string().max(1_024).exactOptional(),
});
