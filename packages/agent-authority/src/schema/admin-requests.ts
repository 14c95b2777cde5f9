import * as z from "zod";
import { AUDITED_CHANGES, AUDITED_KINDS, AUDITED_REQUESTS } from "./audit-actions.js";
import { TOKEN_ROLES, TOKEN_SCOPES } from "./roles-and-states.js";
import {
  accountId,
  agentRuntimeId,
  code,
  lifeState,
  principalId,
  principalState,
  serverId,
  timestamp,
  ttlSeconds,
  userId,
} from "./wire-fields.js";

/** The most entries of one answer, so that it fits into what clients read of one. */
const MAX_PAGE = 1_000;

/** The most characters of the reason of a change. */
export const MAX_REASON = 512;

/** The number of entries if a query names none. */
export const DEFAULT_PAGE = 100;

/** The number of entries of each kind if a search names none. */
export const DEFAULT_FOUND = 10;

const page = z.coerce.number().int().min(1).max(MAX_PAGE);
const limit = page.default(DEFAULT_PAGE).describe("The most entries of the page.");
const after = serverId
  .exactOptional()
  .describe("The id of the last entry that was seen: only entries after it are listed.");

const accountFilter = accountId.exactOptional().describe("Only what belongs to this account.");
const userFilter = userId.exactOptional().describe("Only what belongs to the user of this id.");
const agentFilter = agentRuntimeId.exactOptional().describe("Only what belongs to this agent.");

// A filter that is misspelt must not list everything: all of these are strict.

/** `GET /v1/admin/tokens`. */
export const accessTokenQuerySchema = z.strictObject({
  account_id: accountFilter,
  user_id: userFilter,
  role: z.enum(TOKEN_ROLES).exactOptional().describe("Only tokens of this role."),
  after,
  limit,
});

/** What {@link accessTokenQuerySchema} reads. */
export type AccessTokenQuery = z.output<typeof accessTokenQuerySchema>;

/** The orders of lists of agents and tasks. */
export const LIST_SORTS = ["oldest", "newest", "used"] as const;

/** One of {@link LIST_SORTS}. */
export type ListSort = (typeof LIST_SORTS)[number];

/** `GET /v1/admin/agents`. */
export const agentQuerySchema = z.strictObject({
  account_id: accountFilter,
  user_id: userFilter,
  state: lifeState.exactOptional().describe("Only what is in this state."),
  address: principalId
    .exactOptional()
    .describe("Only what was registered from this address, as far as that is known."),
  created_since: timestamp
    .exactOptional()
    .describe("Only what was registered at this time or later."),
  used_since: timestamp
    .exactOptional()
    .describe("Only what was used at this time or later, as far as that was reported."),
  unused_since: timestamp
    .exactOptional()
    .describe(
      "Only what was registered before this time and not used since, as far as that was reported.",
    ),
  sort: z
    .enum(LIST_SORTS)
    .exactOptional()
    .describe(
      "`oldest` or `newest` first, by their ids, or the last `used` one first, without what was not used. Default `oldest`.",
    ),
  after: z
    .string()
    .regex(/^(?:[0-9-]{10}T[0-9:]{8}Z,)?[!$&-.0-9;=@A-Z[\]^_`a-z{|}~]{1,256}$/)
    .exactOptional()
    .describe(
      "The place of the last entry that was seen, `next` of the page before: its id, or, sorted by use, its last use, a comma and its id.",
    ),
  limit,
});

/** What {@link agentQuerySchema} reads. */
export type AgentQuery = z.output<typeof agentQuerySchema>;

/** `GET /v1/admin/tasks`. */
export const taskQuerySchema = agentQuerySchema.extend({
  agent_runtime_id: agentFilter,
});

/** What {@link taskQuerySchema} reads. */
export type TaskQuery = z.output<typeof taskQuerySchema>;

/** `GET /v1/admin/users`. */
export const userQuerySchema = z.strictObject({
  account_id: accountFilter,
  state: principalState.exactOptional().describe("Only what is in this state."),
  after: z
    .string()
    .regex(/^[!#-+\--[\]-~]{1,256},[!#-+\--[\]-~]{1,256}$/)
    .exactOptional()
    .describe(
      "Account and user id of the last entry that was seen, with a comma between them: only entries after it are listed.",
    ),
  limit,
});

/** What {@link userQuerySchema} reads. */
export type UserQuery = z.output<typeof userQuerySchema>;

/** `GET /v1/admin/accounts`. */
export const accountQuerySchema = z.strictObject({
  state: principalState.exactOptional().describe("Only what is in this state."),
  after: principalId
    .exactOptional()
    .describe("The id of the last entry that was seen: only entries after it are listed."),
  limit,
});

/** What {@link accountQuerySchema} reads. */
export type AccountQuery = z.output<typeof accountQuerySchema>;

/** `GET /v1/admin/audit`. */
export const auditQuerySchema = z.strictObject({
  after: z.coerce
    .number()
    .int()
    .min(0)
    .default(0)
    .describe("Only events with a greater `sequence`."),
  limit: page.exactOptional().describe("The most events, taken from the oldest ones. Default 100."),
  last: page
    .exactOptional()
    .describe(
      "The most events, taken from the newest ones, instead of `limit`. They are listed oldest first.",
    ),
  before: z.coerce
    .number()
    .int()
    .min(1)
    .exactOptional()
    .describe(
      "Only events with a smaller `sequence`. To read the log backwards, ask for the `last` ones before the first one that was seen.",
    ),
  since: timestamp.exactOptional().describe("Only events at this time or later."),
  until: timestamp.exactOptional().describe("Only events before this time."),
  action: z
    .enum([...AUDITED_CHANGES, ...AUDITED_REQUESTS])
    .exactOptional()
    .describe("Only events of this action."),
  code: code.exactOptional().describe("Only refusals with this code."),
  only: z
    .enum(AUDITED_KINDS)
    .exactOptional()
    .describe("Only changes that were made, or only requests that were refused."),
  account_id: accountFilter,
  user_id: userFilter,
  agent_runtime_id: agentFilter,
  task_id: serverId.exactOptional().describe("Only what is about the task of this id."),
  address: principalId.exactOptional().describe("Only requests from this address."),
  actor: z
    .string()
    .min(1)
    .max(512)
    .exactOptional()
    .describe("Only what this actor did, as in the member `actor` of an event."),
  request_id: principalId.exactOptional().describe("Only events of the request of this id."),
});

/** What {@link auditQuerySchema} reads. */
export type AuditQuery = z.output<typeof auditQuerySchema>;

/** The most entries of each kind that one search gives. */
export const MAX_FOUND = 100;

/** `GET /v1/admin/find`. */
export const findQuerySchema = z.strictObject({
  text: z
    .string()
    .regex(/^\P{Cc}{1,512}$/u)
    .describe(
      "What is searched for: an id of an agent, task, access token, user or account, or its beginning; or a whole request id, address, public key (OpenSSH line), name of an access token or value of a claim that is kept with an agent. Never a token or a header.",
    ),
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(MAX_FOUND)
    .default(DEFAULT_FOUND)
    .describe("The most entries of each kind."),
  among: z
    .enum(["everything", "events"])
    .default("everything")
    .describe(
      "`events`: the text is a request id or an address of a log, which its client may have chosen. Only the audit log is searched for it then. `everything`: it may also be anything else.",
    ),
});

/** What {@link findQuerySchema} reads. */
export type FindQuery = z.output<typeof findQuerySchema>;

/** A query without parameters. */
export const noQuerySchema = z.strictObject({});

/** What people call a token. */
export const tokenNameSchema = z
  .string()
  .regex(/^[!-~](?:[ -~]{0,62}[!-~])?$/)
  .describe(
    "What people call the token. Lists and the audit log show it. It need not be unique, and is no secret.",
  );

/** The most accounts that one token is for. */
export const MAX_ACCOUNTS = 100;

/** The accounts that a token is for. */
export const tokenAccountsSchema = z
  .array(principalId)
  .min(1)
  .max(MAX_ACCOUNTS)
  .describe(
    "The accounts that the token is for, of any role but `human`: what belongs to another is to it as if it did not exist. Default: all accounts.",
  );

/** `POST /v1/admin/tokens`. */
export const createAccessTokenSchema = z
  .strictObject({
    account_id: accountId,
    user_id: userId,
    role: z
      .enum(TOKEN_ROLES)
      .describe("What the token may be used for. Roles are not interchangeable."),
    name: tokenNameSchema.exactOptional(),
    scopes: z
      .array(z.enum(TOKEN_SCOPES))
      .max(TOKEN_SCOPES.length)
      .exactOptional()
      .describe(
        "What a token of role `operate` may do besides: `tokens`, make tokens and identity JWTs. Default: nothing.",
      ),
    accounts: tokenAccountsSchema.exactOptional(),
    ttl_seconds: ttlSeconds,
  })
  .describe("The access token to make.");

/** What {@link createAccessTokenSchema} reads. */
export type CreateAccessTokenBody = z.output<typeof createAccessTokenSchema>;

const reason = z
  .string()
  .min(1)
  .max(MAX_REASON)
  .exactOptional()
  .describe(
    "Why it is done, for the audit log. Credentials in it are hidden, and characters that are not shown are escaped.",
  );
const evenIfUnknown = z
  .boolean()
  .exactOptional()
  .describe(
    "Also revoke one that has no token and no agent and was never revoked: it is barred before it comes. Default: it is refused, since its id may be misspelt.",
  );

/** `POST /v1/admin/agents/{id}/revoke` and all that revokes or restores one thing by its id. The body may be left out. */
export const changeBodySchema = z
  .strictObject({ reason })
  .describe("Why it is done. The body may be left out.");

/** How long a token is still taken after its rotation if nothing else is asked for, a day. */
export const DEFAULT_OVERLAP_SECONDS = 86_400;

/** The longest time that a token is still taken after its rotation, 30 days. */
export const MAX_OVERLAP_SECONDS = 2_592_000;

/** `POST /v1/admin/tokens/{id}/rotate`. The body may be left out. */
export const rotateAccessTokenSchema = z
  .strictObject({
    overlap_seconds: z
      .number()
      .int()
      .min(0)
      .max(MAX_OVERLAP_SECONDS)
      .exactOptional()
      .describe(
        "How many seconds the former token is still taken, unless it ends sooner by itself. Default 86,400.",
      ),
    ttl_seconds: ttlSeconds
      .exactOptional()
      .describe(
        "The lifetime of the new token in whole seconds. Default: as long as the former one was to live from its making on.",
      ),
    reason,
  })
  .describe("How a token is rotated. The body may be left out.");

/** What {@link rotateAccessTokenSchema} reads. */
export type RotateAccessTokenBody = z.output<typeof rotateAccessTokenSchema>;

/** `POST /v1/admin/users/restore`. */
export const userBodySchema = z
  .strictObject({ account_id: accountId, user_id: userId, reason })
  .describe("The user that is meant.");

/** `POST /v1/admin/users/revoke`. */
export const revokeUserSchema = userBodySchema
  .extend({ even_if_unknown: evenIfUnknown })
  .describe("The user to revoke.");

/** What {@link revokeUserSchema} reads. */
export type RevokeUserBody = z.output<typeof revokeUserSchema>;

/** `POST /v1/admin/accounts/restore`. */
export const accountBodySchema = z
  .strictObject({ account_id: accountId, reason })
  .describe("The account that is meant.");

/** `POST /v1/admin/accounts/revoke`. */
export const revokeAccountSchema = accountBodySchema
  .extend({ even_if_unknown: evenIfUnknown })
  .describe("The account to revoke.");

/** What {@link revokeAccountSchema} reads. */
export type RevokeAccountBody = z.output<typeof revokeAccountSchema>;

/** `POST /v1/admin/identities`. */
export const issueIdentitySchema = z
  .strictObject({
    account_id: accountId,
    user_id: userId,
    ttl_seconds: ttlSeconds,
    email: z.string().max(1_024).exactOptional().describe("The claim `email`. Default: empty."),
    plan_type: z
      .string()
      .max(256)
      .exactOptional()
      .describe("The claim of the plan. Default: `unknown`."),
    issuer: z
      .string()
      .max(1_024)
      .exactOptional()
      .describe("The claim `iss`. Default: what Codex requires."),
    audience: z
      .string()
      .max(1_024)
      .exactOptional()
      .describe("The claim `aud`. Default: what Codex requires."),
  })
  .describe("The identity JWT to make.");

/** What {@link issueIdentitySchema} reads. */
export type IssueIdentityBody = z.output<typeof issueIdentitySchema>;
