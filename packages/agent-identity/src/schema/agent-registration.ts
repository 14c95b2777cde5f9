import { type AgentPublicKey, formatTimestamp } from "@countersign/agent-key";
import * as v from "valibot";
import { AgentIdentityError } from "../agent-identity-error.js";
import type {
  AgentRegistrationRequest,
  agentRegistrationRequestSchema,
} from "./agent-registration-request.js";
import { describeIssues } from "./describe-issues.js";
import { instant, principalId, serverId } from "./fields.js";

/** Where an agent is registered, below the authority's base URL. */
export const AGENT_REGISTRATION_PATH = "/v1/agent/register";

/**
 * How a registration proof names the key of an agent that has no id yet: the base64 of its OpenSSH line, which stands in the body as well.
 *
 * @see protocol.md §5.3
 */
export function agentRegistrationKeyid(publicKey: AgentPublicKey): string {
  return publicKey.line.slice(publicKey.line.indexOf(" ") + 1);
}

/** Answer to an agent registration. Account and user are repeated by our authority; unknown members are ignored. */
export const agentRegistrationResponseSchema = v.object({
  agent_runtime_id: v.pipe(serverId, v.description("The id of the agent, made by the authority.")),
  account_id: v.optional(
    v.pipe(principalId("an account id"), v.description("The id of the agent's account.")),
  ),
  user_id: v.optional(
    v.pipe(principalId("a user id"), v.description("The id of the agent's user in the account.")),
  ),
  expires_at: v.pipe(
    v.nullish(instant),
    v.description("When the agent ends unless it registers again. Absent: it has no fixed end."),
  ),
  ephemeral: v.pipe(
    v.nullish(v.boolean()),
    v.description("Whether the agent is ephemeral. Absent: it is lasting."),
  ),
});

/** What an authority answers to an agent registration. */
export interface AgentRegistrationResponse {
  readonly agentRuntimeId: string;
  /** Account that the agent was registered for, where the authority repeats it. */
  readonly accountId?: string | undefined;
  /** User that the agent was registered for, where the authority repeats it. */
  readonly userId?: string | undefined;
  /** End of life in epoch milliseconds. Absent: none. */
  readonly expiresAt?: number | undefined;
  /** Whether the agent is ephemeral. Absent: it is lasting. */
  readonly ephemeral?: boolean | undefined;
}

/** Makes the body of an agent registration, in the member order that Codex sends. */
export function createAgentRegistrationRequest(
  request: AgentRegistrationRequest,
): v.InferInput<typeof agentRegistrationRequestSchema> {
  return {
    abom: {
      agent_version: request.abom.agentVersion,
      agent_harness_id: request.abom.agentHarnessId,
      running_location: request.abom.runningLocation,
    },
    agent_public_key: request.publicKey.line,
    capabilities: [...request.capabilities],
    ...(request.ttlSeconds === undefined ? {} : { ttl: request.ttlSeconds }),
    ...(request.ephemeral === true ? { ephemeral: true } : {}),
    ...(request.accountId === undefined ? {} : { account_id: request.accountId }),
    ...(request.userId === undefined ? {} : { user_id: request.userId }),
  };
}

/** Makes the authority's answer to an agent registration. */
export function createAgentRegistrationResponse(
  response: AgentRegistrationResponse,
): v.InferInput<typeof agentRegistrationResponseSchema> {
  const { agentRuntimeId, accountId, userId, expiresAt, ephemeral } = response;
  return {
    agent_runtime_id: agentRuntimeId,
    ...(accountId === undefined ? {} : { account_id: accountId }),
    ...(userId === undefined ? {} : { user_id: userId }),
    ...(expiresAt === undefined ? {} : { expires_at: formatTimestamp(expiresAt) }),
    ...(ephemeral === true ? { ephemeral } : {}),
  };
}

/**
 * Reads the parsed JSON answer to an agent registration.
 *
 * The id is checked against protocol.md §3, so that it can reach a path or a signed text. Whether account and user are those that were
 * registered for is checked by who sent the request.
 *
 * @throws {AgentIdentityError} `bad_response`
 */
export function parseAgentRegistrationResponse(body: unknown): AgentRegistrationResponse {
  const parsed = v.safeParse(agentRegistrationResponseSchema, body);
  if (!parsed.success) {
    throw new AgentIdentityError(
      "bad_response",
      `the authority's answer to the agent registration is unusable: ${describeIssues(parsed)}`,
      {
        hint: "ask the authority's operator; nothing was stored from this answer",
      },
    );
  }
  const { agent_runtime_id, account_id, user_id, expires_at, ephemeral } = parsed.output;
  return {
    agentRuntimeId: agent_runtime_id,
    ...(account_id === undefined ? {} : { accountId: account_id }),
    ...(user_id === undefined ? {} : { userId: user_id }),
    ...(expires_at == null ? {} : { expiresAt: Date.parse(expires_at) }),
    ...(ephemeral === true ? { ephemeral } : {}),
  };
}
