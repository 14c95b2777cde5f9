import { MAX_USE_AGE_SECONDS } from "@countersign/agent-assertion";
import * as z from "zod";
import {
  accountId,
  agentRuntimeId,
  capabilities,
  code,
  expiresAt,
  lifeState,
  taskId,
  userId,
} from "./wire-fields.js";

// agent-assertion reads and makes these bodies without schemas, so that a verifier loads no library for them. The tests hold every answer to these.

/** What the directory answers about an agent and, if asked for, one of its tasks (protocol.md §5.8). */
export const directoryRecordSchema = z
  .object({
    agent_runtime_id: agentRuntimeId,
    account_id: accountId,
    user_id: userId,
    capabilities,
    agent_public_keys: z
      .array(z.string())
      .min(1)
      .max(8)
      .describe(
        "The agent's public keys as OpenSSH lines, newest first: one, or two during a rotation.",
      ),
    agent_state: lifeState,
    expires_at: expiresAt.optional(),
    task: z
      .object({ task_id: taskId, state: lifeState, expires_at: expiresAt.optional() })
      .nullish()
      .describe(
        "The task that was asked for. `null`: none was asked for, or this agent has no such task.",
      ),
  })
  .describe(
    "An agent and, if asked for, one of its tasks, as a verifier needs them (protocol §5.8).",
  );

/** Body of an introspection: `{authorization}`, the whole value of the field that a resource server received. Unknown members are ignored. */
export const introspectionRequestSchema = z
  .object({
    // Larger than the 8 KiB that an assertion may have, so that one that is too long is answered as malformed.
    authorization: z
      .string()
      .max(16_384)
      .describe("The whole value of the `Authorization` field that the resource server received."),
  })
  .describe("The assertion to check. Unknown members are ignored.");

/** Answer to an introspection (protocol.md §5.9). */
export const introspectionResponseSchema = z
  .discriminatedUnion("active", [
    z.object({
      active: z.literal(true).describe("The assertion is valid."),
      authority: z.string().describe("The base URL of the authority, as the caller knows it."),
      agent_runtime_id: agentRuntimeId,
      task_id: taskId,
      account_id: accountId,
      user_id: userId,
      capabilities,
      issued_at: z.iso.datetime().describe("The timestamp of the assertion."),
      skew_seconds: z
        .int()
        .describe("The timestamp minus the authority's clock, in whole seconds."),
    }),
    z.object({
      active: z.literal(false).describe("The assertion is not valid."),
      code: code.describe("The first check of protocol §8 that failed."),
      agent_runtime_id: agentRuntimeId.optional(),
      task_id: taskId.optional(),
      account_id: accountId.optional(),
      user_id: userId.optional(),
    }),
  ])
  .describe("What a verifier finds. The ids stand beside `code` only if the signature was valid.");

/** The most uses of one report. */
const MAX_USES = 400;

/** Body of a report of uses (protocol.md §5.11). */
export const useReportSchema = z
  .object({
    uses: z
      .array(
        z.object({
          agent_runtime_id: agentRuntimeId,
          task_id: taskId.exactOptional(),
          seconds_ago: z
            .int()
            .min(0)
            .max(MAX_USE_AGE_SECONDS)
            .describe("How long ago the assertion was accepted, whole seconds."),
        }),
      )
      .max(MAX_USES)
      .describe("The uses, in any order. What is not known is ignored."),
  })
  .describe("Agents and tasks whose assertions a resource server accepted.");

/** Answer to a report of uses. */
export const useReportAnswerSchema = z.object({}).describe("The report was taken.");

/** Answer to an agent that asks whether its own assertion holds (protocol.md §5.10). */
export const assertionWhoamiResponseSchema = z
  .object({
    agent_runtime_id: agentRuntimeId,
    task_id: taskId,
    account_id: accountId,
    user_id: userId,
  })
  .describe("Whose valid assertion it is.");
