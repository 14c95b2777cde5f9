import {
  accessTokenListSchema,
  accountListSchema,
  agentListSchema,
  auditEventListSchema,
  foundSchema,
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
  changeBodySchema,
  createAccessTokenSchema,
  findQuerySchema,
  issueIdentitySchema,
  noQuerySchema,
  revokeAccountSchema,
  revokeUserSchema,
  rotateAccessTokenSchema,
  taskQuerySchema,
  userBodySchema,
  userQuerySchema,
} from "../schema/admin-requests.js";
import {
  accountEntrySchema,
  agentEntrySchema,
  createdAccessTokenSchema,
  issuedIdentitySchema,
  revokedAccessTokenSchema,
  revokedAccountSchema,
  revokedAgentSchema,
  revokedTaskSchema,
  revokedUserSchema,
  rotatedAccessTokenSchema,
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

const PAGES =
  "In the order of their ids, those for which all parameters hold. To read the next page, ask again with `next` of the answer as `after`.";
const END_AGAIN = "A repetition changes nothing.";
const END_UNHEARD =
  "One that has no token and no agent and was never revoked is refused with 404 and the names next to it, unless `even_if_unknown` is true: it is then barred before it comes. A repetition changes nothing.";
const NAMED = { body: changeBodySchema, isBodyOptional: true, needs: "stop" } as const;
const UNKNOWN = { refusals: ["forbidden", { code: "invalid_request", status: 404 }] } as const;
const RESTORE =
  "What was revoked for itself stays revoked. No limit is looked at. A repetition changes nothing.";

/**
 * What operators do, by the names that the methods of {@link Registry} have. Ids of users and accounts may hold a slash: they stand in bodies,
 * and in no path.
 */
export const ADMIN_OPERATIONS = {
  listAccessTokens: list(
    TOKENS,
    "Lists access tokens.",
    PAGES,
    accessTokenQuerySchema,
    accessTokenListSchema,
  ),
  createAccessToken: change(
    TOKENS,
    "Makes an access token.",
    "The answer is the only one that shows the token. It may not do more than the token that asks for it. A repetition makes another token.",
    createdAccessTokenSchema,
    { body: createAccessTokenSchema, needs: "tokens" },
  ),
  rotateAccessToken: change(
    `${TOKENS}/{id}/rotate`,
    "Makes an access token in place of another.",
    "It has the owner, name, role, scopes and accounts of the other, which is still taken during the overlap. The answer is the only one that shows the token. A token that has ended is refused with `invalid_request`. A repetition makes another token.",
    rotatedAccessTokenSchema,
    {
      needs: "tokens",
      body: rotateAccessTokenSchema,
      isBodyOptional: true,
      absent: "invalid_request",
      within: TOKENS,
    },
  ),
  revokeAccessToken: change(
    `${TOKENS}/{id}/revoke`,
    "Revokes an access token.",
    END_AGAIN,
    revokedAccessTokenSchema,
    { ...NAMED, absent: "invalid_request", within: TOKENS },
  ),
  listAgents: list(
    AGENTS,
    "Lists agents.",
    `${PAGES} Claims that lapsed unproven are left out.`,
    agentQuerySchema,
    agentListSchema,
  ),
  getAgent: show(`${AGENTS}/{id}`, "Shows an agent.", agentEntrySchema, "unknown_agent"),
  revokeAgent: change(
    `${AGENTS}/{id}/revoke`,
    "Revokes an agent, and with it all its tasks.",
    END_AGAIN,
    revokedAgentSchema,
    { ...NAMED, absent: "unknown_agent" },
  ),
  restoreAgent: change(
    `${AGENTS}/{id}/restore`,
    "Takes the revocation of an agent back.",
    RESTORE,
    agentEntrySchema,
    { ...NAMED, absent: "unknown_agent" },
  ),
  listTasks: list(TASKS, "Lists tasks.", PAGES, taskQuerySchema, taskListSchema),
  getTask: show(`${TASKS}/{id}`, "Shows a task.", taskEntrySchema, "unknown_task"),
  revokeTask: change(
    `${TASKS}/{id}/revoke`,
    "Revokes a task. Its agent may register another.",
    END_AGAIN,
    revokedTaskSchema,
    { ...NAMED, absent: "unknown_task" },
  ),
  restoreTask: change(
    `${TASKS}/{id}/restore`,
    "Takes the revocation of a task back.",
    RESTORE,
    taskEntrySchema,
    { ...NAMED, absent: "unknown_task" },
  ),
  listUsers: list(USERS, "Lists users.", PAGES, userQuerySchema, userListSchema),
  revokeUser: change(
    `${USERS}/revoke`,
    "Revokes a user of an account, and with it all its tokens and agents.",
    END_UNHEARD,
    revokedUserSchema,
    { needs: "stop", body: revokeUserSchema, within: USERS, ...UNKNOWN },
  ),
  restoreUser: change(
    `${USERS}/restore`,
    "Takes the revocation of a user back.",
    RESTORE,
    userEntrySchema,
    { needs: "stop", body: userBodySchema, absent: "invalid_request", within: USERS },
  ),
  listAccounts: list(ACCOUNTS, "Lists accounts.", PAGES, accountQuerySchema, accountListSchema),
  revokeAccount: change(
    `${ACCOUNTS}/revoke`,
    "Revokes an account, and with it all its users.",
    END_UNHEARD,
    revokedAccountSchema,
    { needs: "stop", body: revokeAccountSchema, within: ACCOUNTS, ...UNKNOWN },
  ),
  restoreAccount: change(
    `${ACCOUNTS}/restore`,
    "Takes the revocation of an account back.",
    RESTORE,
    accountEntrySchema,
    { needs: "stop", body: accountBodySchema, absent: "invalid_request", within: ACCOUNTS },
  ),
  find: list(
    "/v1/admin/find",
    "Finds everything that a text may mean.",
    "For an operator who has one trace of something and wants to stop it. A request id and an address also find the agents and tasks that their events name; a former public key finds its agent.",
    findQuerySchema,
    foundSchema,
  ),
  listAuditEvents: list(
    "/v1/admin/audit",
    "Lists events of the audit log.",
    "Oldest first, those for which all parameters hold. To follow the log, ask again with the last `sequence` as `after`.",
    auditQuerySchema,
    auditEventListSchema,
    { needs: "audit" },
  ),
  issueIdentity: change(
    "/v1/admin/identities",
    "Makes an agent, and the identity JWT that carries its key.",
    "For clients of generation B (protocol §13.2). An authority that does not serve them refuses with `forbidden`. A repetition makes another agent.",
    issuedIdentitySchema,
    {
      needs: "tokens",
      body: issueIdentitySchema,
      isOptional: true,
      refusals: ["forbidden", "agent_limit"],
    },
  ),
  listSigningKeys: list(
    SIGNING_KEYS,
    "Lists the keys that sign identity JWTs.",
    "All of them, oldest first, without their private halves.",
    noQuerySchema,
    signingKeyListSchema,
    { isForAllAccounts: true },
  ),
  rotateSigningKey: change(
    `${SIGNING_KEYS}/rotate`,
    "Makes a new key that signs identity JWTs.",
    "The replaced key stays in the key set until the last JWT that it signed has ended. A repetition makes another key.",
    signingKeyEntrySchema,
    { isForAllAccounts: true },
  ),
} satisfies Readonly<Record<keyof Registry, AdminOperation>>;

/** The rows of a table, each as a function from its input to its output. */
export type FunctionsOf<Table extends Readonly<Record<string, AdminOperation>>> = {
  readonly [Name in keyof Table]: (input: InputOf<Table[Name]>) => Promise<OutputOf<Table[Name]>>;
};

/** What operators do, by the names of the wire: done on a store, or asked of an admin listener. */
export type AdminFunctions = FunctionsOf<typeof ADMIN_OPERATIONS>;
