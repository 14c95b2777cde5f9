import {
  AgentPublicKey,
  describeIssues,
  formatTimestamp,
  isPrincipalId,
  isServerId,
} from "@countersign/agent-key";
import * as z from "zod";
import { AgentIdentityError } from "../agent-identity-error.js";

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

// Self-declared and shown to people: bounded, and without control or bidirectional characters.
const label = z
  .string()
  .min(1)
  .max(256)
  .regex(/^[^\p{Cc}\p{Cf}]*$/u, "has control characters");

const principalId = (what: string) => z.string().refine(isPrincipalId, `not ${what}`);

/**
 * Body of an agent registration: `{abom, agent_public_key, capabilities, ttl?}` (protocol.md §5.4), and whom it is for (§5, "expected human"). Unknown
 * members are ignored.
 */
export const agentRegistrationRequestSchema = z.object({
  abom: z.object({
    agent_version: label,
    agent_harness_id: label,
    running_location: label,
  }),
  agent_public_key: z.string().max(2048),
  capabilities: z.array(label).max(64),
  ttl: z.number().int().positive().max(Number.MAX_SAFE_INTEGER).nullish(),
  account_id: principalId("an account id").nullish(),
  user_id: principalId("a user id").nullish(),
});

/** Answer to an agent registration. Account and user are repeated by our authority; unknown members are ignored. */
export const agentRegistrationResponseSchema = z.object({
  agent_runtime_id: z.string().refine(isServerId, "not a server's id"),
  account_id: principalId("an account id").optional(),
  user_id: principalId("a user id").optional(),
  expires_at: z.iso.datetime({ offset: true }).nullish(),
});

/** Self-declared bill of materials of an agent. Never a ground for a decision. */
export interface AgentBillOfMaterials {
  readonly agentVersion: string;
  readonly agentHarnessId: string;
  readonly runningLocation: string;
}

/** What an agent registration asks for. */
export interface AgentRegistrationRequest {
  readonly publicKey: AgentPublicKey;
  readonly abom: AgentBillOfMaterials;
  /** Requested capabilities; the authority grants a part of them. */
  readonly capabilities: readonly string[];
  /** Requested lifetime in seconds. Absent: as the authority likes. */
  readonly ttlSeconds?: number | undefined;
  /** Account that the client registers for: another one's credential is refused before anything is made. Absent: the credential's. */
  readonly accountId?: string | undefined;
  /** User that the client registers for, as `accountId`. */
  readonly userId?: string | undefined;
}

/** What an authority answers to an agent registration. */
export interface AgentRegistrationResponse {
  readonly agentRuntimeId: string;
  /** Account that the agent was registered for, where the authority repeats it. */
  readonly accountId?: string | undefined;
  /** User that the agent was registered for, where the authority repeats it. */
  readonly userId?: string | undefined;
  /** End of life in epoch milliseconds. Absent: none. */
  readonly expiresAt?: number | undefined;
}

/** Makes the body of an agent registration, in the member order that Codex sends. */
export function createAgentRegistrationRequest(
  request: AgentRegistrationRequest,
): z.input<typeof agentRegistrationRequestSchema> {
  return {
    abom: {
      agent_version: request.abom.agentVersion,
      agent_harness_id: request.abom.agentHarnessId,
      running_location: request.abom.runningLocation,
    },
    agent_public_key: request.publicKey.line,
    capabilities: [...request.capabilities],
    ...(request.ttlSeconds === undefined ? {} : { ttl: request.ttlSeconds }),
    ...(request.accountId === undefined ? {} : { account_id: request.accountId }),
    ...(request.userId === undefined ? {} : { user_id: request.userId }),
  };
}

/**
 * Reads the parsed JSON body of an agent registration, for the authority.
 *
 * Checks the form and the key (canonical, on the curve, not of small order). Does not check the sender.
 *
 * @throws {AgentIdentityError} `invalid_request` for another form; `invalid_key` for a key that is not valid
 * @see protocol.md §4, §5.4
 */
export function parseAgentRegistrationRequest(body: unknown): AgentRegistrationRequest {
  const parsed = agentRegistrationRequestSchema.safeParse(body);
  if (!parsed.success) {
    throw new AgentIdentityError(
      "invalid_request",
      `not an agent registration: ${describeIssues(parsed.error)}`,
      { cause: parsed.error },
    );
  }
  const { abom, agent_public_key, capabilities, ttl, account_id, user_id } = parsed.data;
  return {
    publicKey: parsePublicKey(agent_public_key),
    abom: {
      agentVersion: abom.agent_version,
      agentHarnessId: abom.agent_harness_id,
      runningLocation: abom.running_location,
    },
    capabilities,
    ...(ttl == null ? {} : { ttlSeconds: ttl }),
    ...(account_id == null ? {} : { accountId: account_id }),
    ...(user_id == null ? {} : { userId: user_id }),
  };
}

/** Makes the authority's answer to an agent registration. */
export function createAgentRegistrationResponse(
  response: AgentRegistrationResponse,
): z.input<typeof agentRegistrationResponseSchema> {
  const { agentRuntimeId, accountId, userId, expiresAt } = response;
  return {
    agent_runtime_id: agentRuntimeId,
    ...(accountId === undefined ? {} : { account_id: accountId }),
    ...(userId === undefined ? {} : { user_id: userId }),
    ...(expiresAt === undefined ? {} : { expires_at: formatTimestamp(expiresAt) }),
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
  const parsed = agentRegistrationResponseSchema.safeParse(body);
  if (!parsed.success) {
    throw new AgentIdentityError(
      "bad_response",
      `the authority's answer to the agent registration is unusable: ${describeIssues(parsed.error)}`,
      {
        cause: parsed.error,
        hint: "ask the authority's operator; nothing was stored from this answer",
      },
    );
  }
  const { agent_runtime_id, account_id, user_id, expires_at } = parsed.data;
  return {
    agentRuntimeId: agent_runtime_id,
    ...(account_id === undefined ? {} : { accountId: account_id }),
    ...(user_id === undefined ? {} : { userId: user_id }),
    ...(expires_at == null ? {} : { expiresAt: Date.parse(expires_at) }),
  };
}

function parsePublicKey(line: string): AgentPublicKey {
  try {
    return AgentPublicKey.parse(line);
  } catch (cause) {
    throw new AgentIdentityError("invalid_key", "agent_public_key is not a sound Ed25519 key", {
      cause,
      hint: 'send "ssh-ed25519 <base64>"',
    });
  }
}
