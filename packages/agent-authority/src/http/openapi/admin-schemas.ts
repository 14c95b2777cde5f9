import {
  accessTokenListSchema,
  accountListSchema,
  agentListSchema,
  auditEventListSchema,
  signingKeyListSchema,
  taskListSchema,
  userListSchema,
} from "../../schema/admin-lists.js";
import {
  accountBodySchema,
  createAccessTokenSchema,
  issueIdentitySchema,
  userBodySchema,
} from "../../schema/admin-requests.js";
import {
  accessTokenEntrySchema,
  accountEntrySchema,
  agentEntrySchema,
  auditEventEntrySchema,
  createdAccessTokenSchema,
  issuedIdentitySchema,
  signingKeyEntrySchema,
  taskEntrySchema,
  userEntrySchema,
} from "../../schema/registry-entries.js";
import { healthSchema } from "./health-schema.js";
import { openApiSchema } from "./openapi-schema.js";

/** The schemas of the admin listener, by their names in its document. */
export const ADMIN_SCHEMAS = {
  AccessToken: accessTokenEntrySchema,
  AccessTokenList: accessTokenListSchema,
  CreateAccessTokenRequest: createAccessTokenSchema,
  CreatedAccessToken: createdAccessTokenSchema,
  Agent: agentEntrySchema,
  AgentList: agentListSchema,
  Task: taskEntrySchema,
  TaskList: taskListSchema,
  User: userEntrySchema,
  UserList: userListSchema,
  UserRequest: userBodySchema,
  Account: accountEntrySchema,
  AccountList: accountListSchema,
  AccountRequest: accountBodySchema,
  AuditEvent: auditEventEntrySchema,
  AuditEventList: auditEventListSchema,
  IssueIdentityRequest: issueIdentitySchema,
  IssuedIdentity: issuedIdentitySchema,
  SigningKey: signingKeyEntrySchema,
  SigningKeyList: signingKeyListSchema,
  Health: healthSchema,
  OpenApi: openApiSchema,
} as const;
