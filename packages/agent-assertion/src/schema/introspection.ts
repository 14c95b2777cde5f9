import { formatTimestamp } from "@countersign/agent-key";
import type { Code } from "@countersign/agent-key/codes";
import { AgentAssertionError } from "../agent-assertion-error.js";
import type { AssertionRejected } from "../verify/assertion-rejected.js";
import type { VerifiedAssertion } from "../verify/verified-assertion.js";

/** Where the authority checks an assertion for a resource server, below its base URL (protocol.md §5.9). */
export const INTROSPECTION_PATH = "/v1/assertion/introspect";

/** Where an agent asks the authority whether its own assertion holds, below its base URL (protocol.md §5.10). */
export const ASSERTION_WHOAMI_PATH = "/v1/assertion/whoami";

// Larger than the 8 KiB that an assertion may have, so that one that is too long is answered as malformed.
const MAX_FIELD_CHARACTERS = 16_384;

/**
 * Answer to an introspection (protocol.md §5.9): what a verifier found. `code` names the first check that failed; ids that stand beside it are
 * proven, since the signature held.
 */
export type IntrospectionResponse =
  | {
      readonly active: true;
      readonly authority: string;
      readonly agent_runtime_id: string;
      readonly task_id: string;
      readonly account_id: string;
      readonly user_id: string;
      readonly capabilities: readonly string[];
      /** `YYYY-MM-DDTHH:MM:SSZ`. */
      readonly issued_at: string;
      readonly skew_seconds: number;
    }
  | {
      readonly active: false;
      readonly code: Code;
      readonly agent_runtime_id?: string | undefined;
      readonly task_id?: string | undefined;
      readonly account_id?: string | undefined;
      readonly user_id?: string | undefined;
    };

/** Answer to an agent that asks whether its own assertion holds (protocol.md §5.10): whose assertion it is, and of which task. */
export interface AssertionWhoami {
  readonly agent_runtime_id: string;
  readonly task_id: string;
  readonly account_id: string;
  readonly user_id: string;
}

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

/**
 * Reads the parsed JSON body of an introspection, for the authority.
 *
 * @returns the field's value, to be verified
 * @throws {AgentAssertionError} `invalid_request`
 */
export function parseIntrospectionRequest(body: unknown): string {
  const authorization = (body as { authorization?: unknown } | null | undefined)?.authorization;
  if (typeof authorization === "string" && authorization.length <= MAX_FIELD_CHARACTERS) {
    return authorization;
  }
  throw new AgentAssertionError("invalid_request", "not an introspection request", {
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
