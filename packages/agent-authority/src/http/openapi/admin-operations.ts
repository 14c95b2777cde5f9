import type { z } from "zod";
import { ADMIN_PATHS } from "../../schema/admin-paths.js";
import {
  accessTokenQuerySchema,
  accountQuerySchema,
  agentQuerySchema,
  auditQuerySchema,
  taskQuerySchema,
  userQuerySchema,
} from "../../schema/admin-requests.js";
import { ADMIN_SCHEMAS } from "./admin-schemas.js";
import { COMMON_OPERATIONS } from "./common-operations.js";
import type { DocumentedRefusal, Operation } from "./operation.js";

/** The requests that an admin listener answers. Any of them is refused with `forbidden` to pages, and to a wrong `Host`. */
export const ADMIN_OPERATIONS: readonly Operation[] = [
  list(
    "listAccessTokens",
    ADMIN_PATHS.tokens,
    ADMIN_SCHEMAS.AccessTokenList,
    accessTokenQuerySchema,
  ),
  change(
    "createAccessToken",
    ADMIN_PATHS.tokens,
    "Makes an access token.",
    ADMIN_SCHEMAS.CreatedAccessToken,
    { body: ADMIN_SCHEMAS.CreateAccessTokenRequest },
  ),
  change(
    "revokeAccessToken",
    `${ADMIN_PATHS.tokens}/{id}/revoke`,
    "Ends an access token; 404 invalid_request when there is none.",
    ADMIN_SCHEMAS.AccessToken,
  ),
  list("listAgents", ADMIN_PATHS.agents, ADMIN_SCHEMAS.AgentList, agentQuerySchema),
  ...entry("Agent", ADMIN_PATHS.agents, ADMIN_SCHEMAS.Agent, "unknown_agent"),
  list("listTasks", ADMIN_PATHS.tasks, ADMIN_SCHEMAS.TaskList, taskQuerySchema),
  ...entry("Task", ADMIN_PATHS.tasks, ADMIN_SCHEMAS.Task, "unknown_task"),
  list("listUsers", ADMIN_PATHS.users, ADMIN_SCHEMAS.UserList, userQuerySchema),
  ...principal("User", ADMIN_PATHS.users, ADMIN_SCHEMAS.User, ADMIN_SCHEMAS.UserRequest),
  list("listAccounts", ADMIN_PATHS.accounts, ADMIN_SCHEMAS.AccountList, accountQuerySchema),
  ...principal(
    "Account",
    ADMIN_PATHS.accounts,
    ADMIN_SCHEMAS.Account,
    ADMIN_SCHEMAS.AccountRequest,
  ),
  list("listAuditEvents", ADMIN_PATHS.audit, ADMIN_SCHEMAS.AuditEventList, auditQuerySchema),
  change(
    "issueIdentity",
    ADMIN_PATHS.identities,
    "Makes an agent, and the identity JWT that carries its key (generation B).",
    ADMIN_SCHEMAS.IssuedIdentity,
    { body: ADMIN_SCHEMAS.IssueIdentityRequest },
  ),
  list("listSigningKeys", ADMIN_PATHS.signingKeys, ADMIN_SCHEMAS.SigningKeyList),
  change(
    "rotateSigningKey",
    `${ADMIN_PATHS.signingKeys}/rotate`,
    "Lets a new key sign identity JWTs.",
    ADMIN_SCHEMAS.SigningKey,
  ),
  ...COMMON_OPERATIONS.map((operation) => ({ ...operation, refusals: ["forbidden"] as const })),
];

function list(id: string, path: string, schema: z.ZodType, query?: z.ZodObject): Operation {
  return {
    id,
    method: "get",
    path,
    summary: "Lists, in the order of their ids, those for which all parameters hold.",
    credentials: ["read", "operate"],
    query,
    answer: { description: "A page.", schema },
    refusals: ["forbidden"],
  };
}

function change(
  id: string,
  path: string,
  summary: string,
  schema: z.ZodType,
  extra: { readonly body?: z.ZodType; readonly refusals?: readonly DocumentedRefusal[] } = {},
): Operation {
  return {
    id,
    method: "post",
    path,
    summary,
    credentials: ["operate"],
    body: extra.body,
    answer: { description: "As it is now.", schema },
    refusals: ["forbidden", ...(extra.refusals ?? [])],
  };
}

function entry(
  name: string,
  path: string,
  schema: z.ZodType,
  unknown: "unknown_agent" | "unknown_task",
): readonly Operation[] {
  const refusals = [{ code: unknown, status: 404 }] as const;
  return [
    {
      id: `get${name}`,
      method: "get",
      path: `${path}/{id}`,
      summary: "Shows one.",
      credentials: ["read", "operate"],
      answer: { description: "As it is now.", schema },
      refusals: ["forbidden", ...refusals],
    },
    change(`revoke${name}`, `${path}/{id}/revoke`, "Ends it, and what depends on it.", schema, {
      refusals,
    }),
    change(`restore${name}`, `${path}/{id}/restore`, "Takes its own revocation back.", schema, {
      refusals,
    }),
  ];
}

function principal(
  name: string,
  path: string,
  schema: z.ZodType,
  body: z.ZodType,
): readonly Operation[] {
  return [
    change(
      `revoke${name}`,
      `${path}/revoke`,
      "Ends it, and what depends on it; also one that was never heard of.",
      schema,
      { body },
    ),
    change(
      `restore${name}`,
      `${path}/restore`,
      "Takes its own revocation back; 404 invalid_request when it was never heard of.",
      schema,
      { body },
    ),
  ];
}
