import * as z from "zod";
import { AUDITED_CHANGES, AUDITED_REQUESTS } from "./audit-actions.js";
import { TOKEN_ROLES } from "./roles-and-states.js";
import {
  code,
  lifeState,
  principalId,
  principalState,
  serverId,
  ttlSeconds,
} from "./wire-fields.js";

/** The most entries of one answer, so that it fits into what clients read of one. */
const MAX_PAGE = 1_000;

/** The number of entries if a query names none. */
export const DEFAULT_PAGE = 100;

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

/** What {@link accessTokenQuerySchema} reads. */
export type AccessTokenQuery = z.output<typeof accessTokenQuerySchema>;

/** `GET /v1/admin/agents`. */
export const agentQuerySchema = z.strictObject({
  account_id: principalId.exactOptional(),
  user_id: principalId.exactOptional(),
  state: lifeState.exactOptional(),
  after,
  limit,
});

/** What {@link agentQuerySchema} reads. */
export type AgentQuery = z.output<typeof agentQuerySchema>;

/** `GET /v1/admin/tasks`. */
export const taskQuerySchema = agentQuerySchema.extend({
  agent_runtime_id: serverId.exactOptional(),
});

/** What {@link taskQuerySchema} reads. */
export type TaskQuery = z.output<typeof taskQuerySchema>;

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

/** What {@link userQuerySchema} reads. */
export type UserQuery = z.output<typeof userQuerySchema>;

/** `GET /v1/admin/accounts`. */
export const accountQuerySchema = z.strictObject({
  state: principalState.exactOptional(),
  after: principalId.exactOptional().describe("The id of the last one seen."),
  limit,
});

/** What {@link accountQuerySchema} reads. */
export type AccountQuery = z.output<typeof accountQuerySchema>;

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

/** What {@link auditQuerySchema} reads. */
export type AuditQuery = z.output<typeof auditQuerySchema>;

/** A query without parameters. */
export const noQuerySchema = z.strictObject({});

/** `POST /v1/admin/tokens`. */
export const createAccessTokenSchema = z.strictObject({
  account_id: principalId,
  user_id: principalId,
  role: z.enum(TOKEN_ROLES),
  ttl_seconds: ttlSeconds,
});

/** What {@link createAccessTokenSchema} reads. */
export type CreateAccessTokenBody = z.output<typeof createAccessTokenSchema>;

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

/** What {@link issueIdentitySchema} reads. */
export type IssueIdentityBody = z.output<typeof issueIdentitySchema>;
