import * as z from "zod";
import { AUDITED_CHANGES, AUDITED_REQUESTS } from "./audit-actions.js";
import { TOKEN_ROLES, TOKEN_SCOPES } from "./roles-and-states.js";
import {
  accountId,
  agentRuntimeId,
  capabilities,
  code,
  createdAt,
  expiresAt,
  lifeState,
  principalId,
  principalState,
  revokedAt,
  serverId,
  taskId,
  timestamp,
  userId,
} from "./wire-fields.js";

/** An access token in the admin API; never the token itself. */
export const accessTokenEntrySchema = z
  .object({
    id: serverId.describe(
      "The id of the token, by which it is listed and revoked. It is no secret.",
    ),
    role: z.enum(TOKEN_ROLES).describe("What the token may be used for."),
    scopes: z
      .array(z.enum(TOKEN_SCOPES))
      .exactOptional()
      .describe("What it may do besides. Absent: nothing."),
    accounts: z
      .array(principalId)
      .exactOptional()
      .describe("The accounts that it is for. Absent: all; of a human's token its own."),
    name: z.string().exactOptional().describe("What people call it. Absent: it has no name."),
    account_id: accountId,
    user_id: userId,
    state: lifeState,
    created_at: createdAt,
    expires_at: expiresAt,
    last_used_at: timestamp
      .exactOptional()
      .describe("When it was last used, up to five minutes before its last use. Absent: not yet."),
    revoked_at: revokedAt.exactOptional(),
  })
  .describe("An access token, without the token itself.");

/** What {@link accessTokenEntrySchema} reads. */
export type AccessTokenEntry = z.output<typeof accessTokenEntrySchema>;

/** An access token that was just made. */
export const createdAccessTokenSchema = z
  .object({
    id: serverId.describe(
      "The id of the token, by which it is listed and revoked. It is no secret.",
    ),
    token: z.string().describe("The token. Secret. It is shown in this answer alone."),
    expires_at: expiresAt,
  })
  .describe("An access token that was just made.");

/** What {@link createdAccessTokenSchema} reads. */
export type CreatedAccessTokenEntry = z.output<typeof createdAccessTokenSchema>;

/** A token that was just made in place of another. */
export const rotatedAccessTokenSchema = createdAccessTokenSchema
  .extend({
    former_id: serverId.describe("The id of the token that it replaces."),
    former_expires_at: timestamp.describe("Until when the former token is still taken."),
  })
  .describe("A token that was just made in place of another.");

/** What {@link rotatedAccessTokenSchema} reads. */
export type RotatedAccessTokenEntry = z.output<typeof rotatedAccessTokenSchema>;

const registeredFrom = z
  .string()
  .exactOptional()
  .describe("The address that it was registered from. Absent: it is not known.");
const lastUsedAt = timestamp
  .exactOptional()
  .describe(
    "When an assertion of it was last accepted, as far as that was reported. Absent: it was not.",
  );
const lastUsedReportedBy = z
  .string()
  .exactOptional()
  .describe(
    "Who reported that use: `token:<id>` with its name before it, `token` alone where the reader's token is for fewer accounts than that one, `loopback`, or `database`: a verifier that reads the database itself.",
  );

// Its bill of materials (protocol §5.4).
const declared = (what: string) =>
  z.string().exactOptional().describe(`${what}, as it said itself. Absent: it said nothing.`);

/** An agent in the admin API. */
export const agentEntrySchema = z
  .object({
    agent_runtime_id: agentRuntimeId,
    account_id: accountId,
    user_id: userId,
    agent_public_key: z.string().describe("The agent's newest public key, as an OpenSSH line."),
    capabilities,
    state: lifeState,
    proven: z
      .boolean()
      .describe(
        "Whether the agent has proved its key. Before that it is a claim, which lapses after 24 hours.",
      ),
    ephemeral: z
      .boolean()
      .exactOptional()
      .describe("Whether it is an ephemeral agent. Absent: a lasting one."),
    created_at: createdAt,
    address: registeredFrom,
    agent_version: declared("The version of the agent's program"),
    agent_harness_id: declared("The name of the agent's program"),
    running_location: declared("Where the agent runs"),
    claims: z
      .record(z.string(), z.string())
      .exactOptional()
      .describe(
        "Claims of its human's token, those that the operator lists, by their names. Absent: none was kept.",
      ),
    expires_at: expiresAt.exactOptional(),
    revoked_at: revokedAt.exactOptional(),
    last_used_at: lastUsedAt,
    last_used_reported_by: lastUsedReportedBy,
  })
  .describe("An agent in the registry.");

/** What {@link agentEntrySchema} reads. */
export type AgentEntry = z.output<typeof agentEntrySchema>;

/** A task in the admin API. */
export const taskEntrySchema = z
  .object({
    task_id: taskId,
    agent_runtime_id: agentRuntimeId,
    account_id: accountId,
    user_id: userId,
    state: lifeState,
    created_at: createdAt,
    address: registeredFrom,
    thread_label: z
      .string()
      .exactOptional()
      .describe("What its client calls the thread, as it said itself. Absent: it said nothing."),
    expires_at: expiresAt.exactOptional(),
    revoked_at: revokedAt.exactOptional(),
    first_used_at: timestamp
      .exactOptional()
      .describe("The first use that was reported. Absent: none was."),
    last_used_at: lastUsedAt,
    last_used_reported_by: lastUsedReportedBy,
  })
  .describe("A task in the registry.");

/** What {@link taskEntrySchema} reads. */
export type TaskEntry = z.output<typeof taskEntrySchema>;

/** A user of an account in the admin API. */
export const userEntrySchema = z
  .object({
    account_id: accountId,
    user_id: userId,
    state: principalState,
    created_at: createdAt,
    revoked_at: revokedAt.exactOptional(),
  })
  .describe("A user of an account, known from its first token or from a revocation.");

/** What {@link userEntrySchema} reads. */
export type UserEntry = z.output<typeof userEntrySchema>;

/** An account in the admin API. */
export const accountEntrySchema = z
  .object({
    account_id: accountId,
    state: principalState,
    created_at: createdAt,
    revoked_at: revokedAt.exactOptional(),
  })
  .describe("An account, known from its first token or from a revocation.");

/** What {@link accountEntrySchema} reads. */
export type AccountEntry = z.output<typeof accountEntrySchema>;

const count = z.number().int().min(0);

/** What a revocation stopped. */
const stopped = z
  .object({
    agents: count.describe("Agents that lived."),
    tasks: count.describe("Tasks that lived."),
    tokens: count.describe("Access tokens that lived."),
  })
  .describe("What lived and was stopped by this revocation. A repetition stops nothing.");

/** An access token that was just revoked. */
export const revokedAccessTokenSchema = accessTokenEntrySchema
  .extend({ stopped })
  .describe("A revoked access token, and what its revocation stopped.");

/** What {@link revokedAccessTokenSchema} reads. */
export type RevokedAccessTokenEntry = z.output<typeof revokedAccessTokenSchema>;

/** An agent that was just revoked. */
export const revokedAgentSchema = agentEntrySchema
  .extend({ stopped })
  .describe("A revoked agent, and what its revocation stopped.");

/** What {@link revokedAgentSchema} reads. */
export type RevokedAgentEntry = z.output<typeof revokedAgentSchema>;

/** A task that was just revoked. */
export const revokedTaskSchema = taskEntrySchema
  .extend({ stopped })
  .describe("A revoked task, and what its revocation stopped.");

/** What {@link revokedTaskSchema} reads. */
export type RevokedTaskEntry = z.output<typeof revokedTaskSchema>;

/** A user that was just revoked. */
export const revokedUserSchema = userEntrySchema
  .extend({ stopped })
  .describe("A revoked user, and what its revocation stopped.");

/** What {@link revokedUserSchema} reads. */
export type RevokedUserEntry = z.output<typeof revokedUserSchema>;

/** An account that was just revoked. */
export const revokedAccountSchema = accountEntrySchema
  .extend({ stopped })
  .describe("A revoked account, and what its revocation stopped.");

/** What {@link revokedAccountSchema} reads. */
export type RevokedAccountEntry = z.output<typeof revokedAccountSchema>;

/** A key that signs identity JWTs; never its private half. */
export const signingKeyEntrySchema = z
  .object({
    kid: z.string().describe("The id of the key: its JWK thumbprint."),
    state: z
      .enum(["active", "retired", "ended"])
      .describe(
        "`active`: it signs. `retired`: it is in the key set while JWTs that it signed live. `ended`: neither.",
      ),
    created_at: createdAt,
    retired_at: timestamp
      .exactOptional()
      .describe("When another key took over. Absent: it still signs."),
    last_token_ends_at: timestamp
      .exactOptional()
      .describe("When the last JWT that it signed ends. Absent: it signed none."),
  })
  .describe("A key that signs identity JWTs, without its private half.");

/** What {@link signingKeyEntrySchema} reads. */
export type SigningKeyEntry = z.output<typeof signingKeyEntrySchema>;

/** An identity JWT that was just made. */
export const issuedIdentitySchema = z
  .object({
    token: z
      .string()
      .describe(
        "The identity JWT. Secret: it holds the agent's private key. It is shown in this answer alone.",
      ),
    agent_runtime_id: agentRuntimeId,
    kid: z.string().describe("The id of the key that signed it."),
    expires_at: expiresAt,
  })
  .describe("An identity JWT that was just made.");

/** What {@link issuedIdentitySchema} reads. */
export type IssuedIdentityEntry = z.output<typeof issuedIdentitySchema>;

/** One line of the audit log. */
export const auditEventEntrySchema = z
  .object({
    sequence: z
      .number()
      .int()
      .min(1)
      .describe("The number of the event. It grows with each event."),
    at: timestamp.describe("When it happened."),
    action: z
      .enum([...AUDITED_CHANGES, ...AUDITED_REQUESTS])
      .describe("The change that was made, or the kind of the request that was refused."),
    code: code
      .exactOptional()
      .describe("Why the request was refused. Absent: the event is a change."),
    actor: z
      .string()
      .exactOptional()
      .describe(
        "Who did it: `token:<id>`, `oidc:<issuer>`, `agent:<id>`, `admin:<token id>`, `operator:<user>@<host>` or `operator`; `admin` or `token` alone where the reader's token is for fewer accounts than that token. Absent: no credential or signature was valid.",
      ),
    actor_name: z
      .string()
      .exactOptional()
      .describe(
        "The name of the token that did it. Absent: it has none, is not named to the reader, or it was no token.",
      ),
    address: z.string().exactOptional().describe("The address that the request came from."),
    request_id: z.string().exactOptional().describe("The id of the request, as in `x-request-id`."),
    account_id: z.string().exactOptional().describe("The id of the account."),
    user_id: z.string().exactOptional().describe("The id of the user in the account."),
    agent_runtime_id: z.string().exactOptional().describe("The id of the agent."),
    claimed_agent_runtime_id: z
      .string()
      .exactOptional()
      .describe("The agent that a refused request named without proof."),
    task_id: z.string().exactOptional().describe("The id of the task."),
    access_token_id: z.string().exactOptional().describe("The id of the access token."),
    reason: z.string().exactOptional().describe("Why an operator revoked or restored it."),
  })
  .describe(
    "One event of the audit log: a change, or a refused request. A member that does not apply is absent.",
  );

/** What {@link auditEventEntrySchema} reads. */
export type AuditEventEntry = z.output<typeof auditEventEntrySchema>;
