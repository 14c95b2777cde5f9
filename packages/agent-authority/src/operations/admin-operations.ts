import {
  accessTokenListSchema,
  accountListSchema,
  agentListSchema,
  auditEventListSchema,
  signingKeyListSchema,
  taskListSchema,
  userListSchema,
} from "../schema/admin-lists.js";
import {
  accessTokenQuerySchema,
  accountBodySchema,
  accountQuerySchema,
  agentQuerySchema,
  auditQuerySchema,
  createAccessTokenSchema,
  issueIdentitySchema,
  noQuerySchema,
  taskQuerySchema,
  userBodySchema,
  userQuerySchema,
} from "../schema/admin-requests.js";
import {
  accessTokenEntrySchema,
  accountEntrySchema,
  agentEntrySchema,
  createdAccessTokenSchema,
  issuedIdentitySchema,
  signingKeyEntrySchema,
  taskEntrySchema,
  userEntrySchema,
} from "../schema/registry-entries.js";
import {
  type AdminOperation,
  change,
  type InputOf,
  list,
  type OutputOf,
  show,
} from "./admin-operation.js";
import type { Registry } from "./registry-types.js";

const TOKENS = "/v1/admin/tokens";
const AGENTS = "/v1/admin/agents";
const TASKS = "/v1/admin/tasks";
const USERS = "/v1/admin/users";
const ACCOUNTS = "/v1/admin/accounts";
const SIGNING_KEYS = "/v1/admin/signing-keys";

const END = "Ends it, and what depends on it.";
const END_UNHEARD = "Ends it, and what depends on it; also one that was never heard of.";
const RESTORE = "Takes its own revocation back.";
const RESTORE_HEARD =
  "Takes its own revocation back; 404 invalid_request when it was never heard of.";

/**
 * What operators do, by the names that the methods of {@link Registry} have. Ids of users and accounts may hold a slash: they stand in bodies,
 * and in no path.
 */
export const ADMIN_OPERATIONS = {
  listAccessTokens: list(TOKENS, accessTokenQuerySchema, accessTokenListSchema),
  createAccessToken: change(TOKENS, "Makes an access token.", createdAccessTokenSchema, {
    body: createAccessTokenSchema,
  }),
  revokeAccessToken: change(
    `${TOKENS}/{id}/revoke`,
    "Ends an access token; 404 invalid_request when there is none.",
    accessTokenEntrySchema,
    { absent: "invalid_request", within: TOKENS },
  ),
  listAgents: list(AGENTS, agentQuerySchema, agentListSchema),
  getAgent: show(`${AGENTS}/{id}`, agentEntrySchema, "unknown_agent"),
  revokeAgent: change(`${AGENTS}/{id}/revoke`, END, agentEntrySchema, { absent: "unknown_agent" }),
  restoreAgent: change(`${AGENTS}/{id}/restore`, RESTORE, agentEntrySchema, {
    absent: "unknown_agent",
  }),
  listTasks: list(TASKS, taskQuerySchema, taskListSchema),
  getTask: show(`${TASKS}/{id}`, taskEntrySchema, "unknown_task"),
  revokeTask: change(`${TASKS}/{id}/revoke`, END, taskEntrySchema, { absent: "unknown_task" }),
  restoreTask: change(`${TASKS}/{id}/restore`, RESTORE, taskEntrySchema, {
    absent: "unknown_task",
  }),
  listUsers: list(USERS, userQuerySchema, userListSchema),
  revokeUser: change(`${USERS}/revoke`, END_UNHEARD, userEntrySchema, { body: userBodySchema }),
  restoreUser: change(`${USERS}/restore`, RESTORE_HEARD, userEntrySchema, {
    body: userBodySchema,
    absent: "invalid_request",
    within: USERS,
  }),
  listAccounts: list(ACCOUNTS, accountQuerySchema, accountListSchema),
  revokeAccount: change(`${ACCOUNTS}/revoke`, END_UNHEARD, accountEntrySchema, {
    body: accountBodySchema,
  }),
  restoreAccount: change(`${ACCOUNTS}/restore`, RESTORE_HEARD, accountEntrySchema, {
    body: accountBodySchema,
    absent: "invalid_request",
    within: ACCOUNTS,
  }),
  listAuditEvents: list("/v1/admin/audit", auditQuerySchema, auditEventListSchema),
  issueIdentity: change(
    "/v1/admin/identities",
    "Makes an agent, and the identity JWT that carries its key (generation B).",
    issuedIdentitySchema,
    { body: issueIdentitySchema, isOptional: true },
  ),
  listSigningKeys: list(SIGNING_KEYS, noQuerySchema, signingKeyListSchema),
  rotateSigningKey: change(
    `${SIGNING_KEYS}/rotate`,
    "Lets a new key sign identity JWTs.",
    signingKeyEntrySchema,
    {},
  ),
} satisfies Readonly<Record<keyof Registry, AdminOperation>>;

/** The rows of a table, each as a function from its input to its output. */
export type FunctionsOf<Table extends Readonly<Record<string, AdminOperation>>> = {
  readonly [Name in keyof Table]: (input: InputOf<Table[Name]>) => Promise<OutputOf<Table[Name]>>;
};

/** What operators do, by the names of the wire: done on a store, or asked of an admin listener. */
export type AdminFunctions = FunctionsOf<typeof ADMIN_OPERATIONS>;
