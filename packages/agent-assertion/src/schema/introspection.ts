import { formatTimestamp, isPrincipalId, isServerId } from "@countersign/agent-key";
import { CODES } from "@countersign/agent-key/codes";
import { z } from "zod";
import { AgentAssertionError } from "../agent-assertion-error.js";
import type { AssertionRejected } from "../verify/assertion-rejected.js";
import type { VerifiedAssertion } from "../verify/verified-assertion.js";

/** Where the authority checks an assertion for a resource server, below its base URL (protocol.md §5.9). */
export const INTROSPECTION_PATH = "/v1/assertion/introspect";

/** Where an agent asks the authority whether its own assertion holds, below its base URL (protocol.md §5.10). */
export const ASSERTION_WHOAMI_PATH = "/v1/assertion/whoami";

// Larger than the 8 KiB that an assertion may have, so that one that is too long is answered as malformed.
const MAX_FIELD_CHARACTERS = 16_384;

const serverId = z.string().refine(isServerId, "no id of an authority");
const principalId = z.string().refine(isPrincipalId, "no account or user id");

/** Body of an introspection: `{authorization}`, the whole value of the field that a resource server received. Unknown members are ignored. */
export const introspectionRequestSchema = z.object({
  authorization: z.string().max(MAX_FIELD_CHARACTERS),
});

/**
 * Answer to an introspection (protocol.md §5.9): what a verifier found. `code` names the first check that failed; ids that stand beside it are
 * proven, since the signature held.
 */
export const introspectionResponseSchema = z.discriminatedUnion("active", [
  z.object({
    active: z.literal(true),
    authority: z.string(),
    agent_runtime_id: serverId,
    task_id: serverId,
    account_id: principalId,
    user_id: principalId,
    capabilities: z.array(z.string()),
    issued_at: z.iso.datetime(),
    skew_seconds: z.int(),
  }),
  z.object({
    active: z.literal(false),
    code: z.enum(CODES),
    agent_runtime_id: serverId.optional(),
    task_id: serverId.optional(),
    account_id: principalId.optional(),
    user_id: principalId.optional(),
  }),
]);

/** Answer to an agent that asks whether its own assertion holds (protocol.md §5.10). */
export const assertionWhoamiResponseSchema = z.object({
  agent_runtime_id: serverId,
  task_id: serverId,
  account_id: principalId,
  user_id: principalId,
});

/** Whose assertion it is, and of which task, on the wire. */
export type AssertionWhoami = z.infer<typeof assertionWhoamiResponseSchema>;

/** Makes the authority's answer to the agent whose assertion held. */
export function createAssertionWhoamiResponse({
  agentRuntimeId,
  taskId,
  accountId,
  userId,
}: Pick<VerifiedAssertion, "agentRuntimeId" | "taskId" | "accountId" | "userId">): AssertionWhoami {
  return {
    agent_runtime_id: agentRuntimeId,
    task_id: taskId,
    account_id: accountId,
    user_id: userId,
  };
}

/** An introspection's answer on the wire. */
export type IntrospectionResponse = z.infer<typeof introspectionResponseSchema>;

/**
 * Reads the parsed JSON body of an introspection, for the authority.
 *
 * @returns the field's value, to be verified
 * @throws {AgentAssertionError} `invalid_request`
 */
export function parseIntrospectionRequest(body: unknown): string {
  const parsed = introspectionRequestSchema.safeParse(body);
  if (parsed.success) return parsed.data.authorization;
  throw new AgentAssertionError("invalid_request", "not an introspection request", {
    cause: parsed.error,
    hint: 'send {"authorization": "AgentAssertion …"}',
  });
}

/** Makes the authority's answer about an assertion: verified, or rejected. */
export function createIntrospectionResponse(
  outcome: VerifiedAssertion | AssertionRejected,
): IntrospectionResponse {
  if ("code" in outcome) {
    const { code, proven } = outcome;
    if (proven === undefined) return { active: false, code };
    return {
      active: false,
      code,
      agent_runtime_id: proven.agentRuntimeId,
      task_id: proven.taskId,
      account_id: proven.accountId,
      user_id: proven.userId,
    };
  }
  return {
    active: true,
    authority: outcome.authority,
    agent_runtime_id: outcome.agentRuntimeId,
    task_id: outcome.taskId,
    account_id: outcome.accountId,
    user_id: outcome.userId,
    capabilities: [...outcome.capabilities],
    issued_at: formatTimestamp(outcome.issuedAt),
    skew_seconds: outcome.skewSeconds,
  };
}
