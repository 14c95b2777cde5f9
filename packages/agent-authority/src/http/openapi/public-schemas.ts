import {
  agentRegistrationRequestSchema,
  agentRegistrationResponseSchema,
  agentRevocationResponseSchema,
  keyRotationRequestSchema,
  keyRotationResponseSchema,
  ownEndRequestSchema,
  publicRsaKeySchema,
  taskEndResponseSchema,
  whoamiResponseSchema,
} from "@countersign/agent-identity/server";
import {
  taskRegistrationRequestSchema,
  taskRegistrationResponseSchema,
} from "@countersign/agent-task/server";
import * as v from "valibot";
import * as z from "zod";
import {
  assertionWhoamiResponseSchema,
  directoryRecordSchema,
  introspectionRequestSchema,
  introspectionResponseSchema,
  useReportAnswerSchema,
  useReportSchema,
} from "../../schema/verifier-answers.js";
import { timestamp } from "../../schema/wire-fields.js";
import { healthSchema } from "./health-schema.js";
import { openApiSchema } from "./openapi-schema.js";
import { problemSchema } from "./problem-schema.js";

// The bodies belong to the packages of the protocol, whose clients are held to the same schemas.

const registration = agentRegistrationResponseSchema.entries;
const { expires_at } = taskRegistrationResponseSchema.entries;
const sealedTask = v.pipe(
  v.object({
    encrypted_task_id: v.pipe(
      v.string(),
      v.regex(/^[A-Za-z0-9+/]+={0,2}$/),
      v.description("The task's id in a sealed box for the agent's key, in base64."),
    ),
    expires_at,
  }),
  v.description("The task's id for the holder of the key alone."),
);
const plainTask = v.pipe(
  v.object({ task_id: v.pipe(v.string(), v.description("The task's id.")), expires_at }),
  v.description("The task's id in clear: the agent asked for it by `plain_task_id`."),
);

/** The schemas of the public listener, by their names in its document. */
export const PUBLIC_SCHEMAS = {
  AgentRegistrationRequest: agentRegistrationRequestSchema,
  // Our authority always says whom the agent belongs to (protocol §5.4).
  AgentRegistration: v.pipe(
    v.object({
      ...registration,
      account_id: registration.account_id.wrapped,
      user_id: registration.user_id.wrapped,
    }),
    v.description("A registered agent."),
  ),
  TaskRegistrationRequest: taskRegistrationRequestSchema,
  // Of the forms that clients read, the sealed one that every generation does, and the plain one for those that ask (protocol T-5, T-11).
  TaskRegistration: v.pipe(v.union([sealedTask, plainTask]), v.description("A registered task.")),
  Biscuit: z
    .object({ expires_at: timestamp.describe("When the biscuit ends.") })
    .describe("The life of a biscuit, which itself is in a header field."),
  KeyRotationRequest: keyRotationRequestSchema,
  KeyRotation: keyRotationResponseSchema,
  AgentRevocation: agentRevocationResponseSchema,
  OwnEndRequest: ownEndRequestSchema,
  TaskEnd: taskEndResponseSchema,
  DirectoryRecord: directoryRecordSchema,
  IntrospectionRequest: introspectionRequestSchema,
  Introspection: introspectionResponseSchema,
  UseReport: useReportSchema,
  UseReportAnswer: useReportAnswerSchema,
  AssertionWhoami: assertionWhoamiResponseSchema,
  Whoami: whoamiResponseSchema,
  TokenRefresh: z
    .object({ detail: z.string().describe("Why there is no token, and what to do: for a person.") })
    .describe("An answer without a token."),
  KeySet: v.pipe(
    v.object({
      keys: v.pipe(
        v.array(publicRsaKeySchema),
        v.description("The public keys, also of those that sign no more."),
      ),
    }),
    v.description("A JWK set (RFC 7517)."),
  ),
  Health: healthSchema,
  OpenApi: openApiSchema,
  Problem: problemSchema,
} as const;
