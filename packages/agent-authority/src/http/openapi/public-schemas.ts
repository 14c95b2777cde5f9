import {
  agentRegistrationRequestSchema,
  agentRegistrationResponseSchema,
  agentRevocationResponseSchema,
  keyRotationRequestSchema,
  keyRotationResponseSchema,
  publicRsaKeySchema,
  whoamiResponseSchema,
} from "@countersign/agent-identity/server";
import {
  taskRegistrationRequestSchema,
  taskRegistrationResponseSchema,
} from "@countersign/agent-task/server";
import * as z from "zod";
import {
  assertionWhoamiResponseSchema,
  directoryRecordSchema,
  introspectionRequestSchema,
  introspectionResponseSchema,
} from "../../schema/verifier-answers.js";
import { timestamp } from "../../schema/wire-fields.js";
import { healthSchema } from "./health-schema.js";
import { openApiSchema } from "./openapi-schema.js";

// The bodies belong to the packages of the protocol, whose clients are held to the same schemas.

/** The schemas of the public listener, by their names in its document. */
export const PUBLIC_SCHEMAS = {
  AgentRegistrationRequest: agentRegistrationRequestSchema,
  // Our authority always says whom the agent belongs to (protocol §5.4).
  AgentRegistration: agentRegistrationResponseSchema.required({ account_id: true, user_id: true }),
  TaskRegistrationRequest: taskRegistrationRequestSchema,
  // Of the forms that clients read, the one that every generation does (protocol §5.5).
  TaskRegistration: taskRegistrationResponseSchema
    .pick({ encrypted_task_id: true, expires_at: true })
    .extend({ encrypted_task_id: z.string().regex(/^[A-Za-z0-9+/]+={0,2}$/) }),
  Biscuit: z.object({ expires_at: timestamp }),
  KeyRotationRequest: keyRotationRequestSchema,
  KeyRotation: keyRotationResponseSchema,
  AgentRevocation: agentRevocationResponseSchema,
  DirectoryRecord: directoryRecordSchema,
  IntrospectionRequest: introspectionRequestSchema,
  Introspection: introspectionResponseSchema,
  AssertionWhoami: assertionWhoamiResponseSchema,
  Whoami: whoamiResponseSchema,
  TokenRefresh: z.object({ detail: z.string().describe("For a person.") }),
  KeySet: z.object({ keys: z.array(publicRsaKeySchema) }),
  Health: healthSchema,
  OpenApi: openApiSchema,
} as const;
