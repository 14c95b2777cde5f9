import * as z from "zod";
import { AUDITED_CHANGES, AUDITED_REQUESTS } from "./audit-actions.js";
import { TOKEN_ROLES } from "./roles-and-states.js";
import {
  code,
  lifeState,
  principalId,
  principalState,
  serverId,
  timestamp,
} from "./wire-fields.js";

/** An access token in the admin API; never the token itself. */
export const accessTokenEntrySchema = z.object({
  id: serverId,
  role: z.enum(TOKEN_ROLES),
  account_id: principalId,
  user_id: principalId,
  state: lifeState,
  created_at: timestamp,
  expires_at: timestamp,
  revoked_at: timestamp.exactOptional(),
});

/** What {@link accessTokenEntrySchema} reads. */
export type AccessTokenEntry = z.output<typeof accessTokenEntrySchema>;

/** An access token that was just made. */
export const createdAccessTokenSchema = z.object({
  id: serverId,
  token: z.string().describe("Secret. It is told here once."),
  expires_at: timestamp,
});

/** What {@link createdAccessTokenSchema} reads. */
export type CreatedAccessTokenEntry = z.output<typeof createdAccessTokenSchema>;

/** An agent in the admin API. */
export const agentEntrySchema = z.object({
  agent_runtime_id: serverId,
  account_id: principalId,
  user_id: principalId,
  agent_public_key: z.string(),
  capabilities: z.array(z.string()),
  state: lifeState,
  proven: z.boolean(),
  created_at: timestamp,
  expires_at: timestamp.exactOptional(),
  revoked_at: timestamp.exactOptional(),
});

/** What {@link agentEntrySchema} reads. */
export type AgentEntry = z.output<typeof agentEntrySchema>;

/** A task in the admin API. */
export const taskEntrySchema = z.object({
  task_id: serverId,
  agent_runtime_id: serverId,
  account_id: principalId,
  user_id: principalId,
  state: lifeState,
  created_at: timestamp,
  expires_at: timestamp.exactOptional(),
  revoked_at: timestamp.exactOptional(),
});

/** What {@link taskEntrySchema} reads. */
export type TaskEntry = z.output<typeof taskEntrySchema>;

/** A user of an account in the admin API. */
export const userEntrySchema = z.object({
  account_id: principalId,
  user_id: principalId,
  state: principalState,
  created_at: timestamp,
  revoked_at: timestamp.exactOptional(),
});

/** What {@link userEntrySchema} reads. */
export type UserEntry = z.output<typeof userEntrySchema>;

/** An account in the admin API. */
export const accountEntrySchema = z.object({
  account_id: principalId,
  state: principalState,
  created_at: timestamp,
  revoked_at: timestamp.exactOptional(),
});

/** What {@link accountEntrySchema} reads. */
export type AccountEntry = z.output<typeof accountEntrySchema>;

/** A key that signs identity JWTs; never its private half. */
export const signingKeyEntrySchema = z.object({
  kid: z.string(),
  state: z.enum(["active", "retired", "ended"]),
  created_at: timestamp,
  retired_at: timestamp.exactOptional(),
  last_token_ends_at: timestamp.exactOptional(),
});

/** What {@link signingKeyEntrySchema} reads. */
export type SigningKeyEntry = z.output<typeof signingKeyEntrySchema>;

/** An identity JWT that was just made. */
export const issuedIdentitySchema = z.object({
  token: z.string().describe("Secret: it holds the agent's private key. It is told here once."),
  agent_runtime_id: serverId,
  kid: z.string(),
  expires_at: timestamp,
});

/** What {@link issuedIdentitySchema} reads. */
export type IssuedIdentityEntry = z.output<typeof issuedIdentitySchema>;

/** One line of the audit log. */
export const auditEventEntrySchema = z.object({
  sequence: z.number().int().min(1),
  at: timestamp,
  action: z.enum([...AUDITED_CHANGES, ...AUDITED_REQUESTS]),
  code: code.exactOptional(),
  actor: z.string().exactOptional(),
  address: z.string().exactOptional(),
  request_id: z.string().exactOptional(),
  account_id: z.string().exactOptional(),
  user_id: z.string().exactOptional(),
  agent_runtime_id: z.string().exactOptional(),
  claimed_agent_runtime_id: z.string().exactOptional(),
  task_id: z.string().exactOptional(),
  access_token_id: z.string().exactOptional(),
});

/** What {@link auditEventEntrySchema} reads. */
export type AuditEventEntry = z.output<typeof auditEventEntrySchema>;
