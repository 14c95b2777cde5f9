import { AgentPublicKey, formatTimestamp } from "@countersign/agent-key";
import * as v from "valibot";
import { AgentIdentityError } from "../agent-identity-error.js";
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

// Self-declared and shown to people: bounded, and without control or bidirectional characters.
const label = v.pipe(
  v.string(),
  v.regex(/^[^\p{Cc}\p{Cf}]{1,256}$/u, "not 1 to 256 characters that are shown"),
);

/**
 * Body of an agent registration: `{abom, agent_public_key, capabilities, ttl?}` (protocol.md §5.4), and whom it is for (R-2, "expected human"). Unknown
 * members are ignored.
 */
export const agentRegistrationRequestSchema = v.pipe(
  v.object({
    abom: v.pipe(
      v.object({
        agent_version: v.pipe(label, v.description("The version of the agent's program.")),
        agent_harness_id: v.pipe(label, v.description("The name of the agent's program.")),
        running_location: v.pipe(label, v.description("Where the agent runs.")),
      }),
      v.description("What the agent says of itself. No decision rests on it."),
    ),
    agent_public_key: v.pipe(
      v.string(),
      v.maxLength(2048),
      v.description("The agent's Ed25519 public key, as an OpenSSH line."),
    ),
    capabilities: v.pipe(
      v.array(label),
      v.maxLength(64),
      v.description(
        "The capabilities that the agent asks for. The authority grants a part of them.",
      ),
    ),
    ttl: v.pipe(
      v.nullish(v.pipe(v.number(), v.safeInteger(), v.minValue(1))),
      v.description(
        "The lifetime that the agent asks for, in seconds. The authority may shorten it. Absent: the authority decides.",
      ),
    ),
    ephemeral: v.pipe(
      v.nullish(v.boolean()),
      v.description(
        "Whether the agent is ephemeral: it always has an end, soon, and is counted apart from lasting agents. Absent: it is lasting.",
      ),
    ),
    account_id: v.pipe(
      v.nullish(principalId("an account id")),
      v.description(
        "The account that the agent is for. If the credential belongs to another account, the request is refused. Absent: the credential's account.",
      ),
    ),
    user_id: v.pipe(
      v.nullish(principalId("a user id")),
      v.description(
        "The user that the agent is for. If the credential belongs to another user, the request is refused. Absent: the credential's user.",
      ),
    ),
  }),
  v.description("The agent to register (protocol §5.4). Unknown members are ignored."),
);

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
  /** Whether the agent is for one job: it always ends, soon, and is counted apart. Default false. An authority that does not know it registers a lasting agent. */
  readonly ephemeral?: boolean | undefined;
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

/**
 * Reads the parsed JSON body of an agent registration, for the authority.
 *
 * Checks the form and the key (canonical, on the curve, not of small order). Does not check the sender.
 *
 * @throws {AgentIdentityError} `invalid_request` for another form; `invalid_key` for a key that is not valid
 * @see protocol.md §4, §5.4
 */
export function parseAgentRegistrationRequest(body: unknown): AgentRegistrationRequest {
  const parsed = v.safeParse(agentRegistrationRequestSchema, body);
  if (!parsed.success) {
    throw new AgentIdentityError(
      "invalid_request",
      `not an agent registration: ${describeIssues(parsed)}`,
    );
  }
  const { abom, agent_public_key, capabilities, ttl, ephemeral, account_id, user_id } =
    parsed.output;
  return {
    publicKey: parsePublicKey(agent_public_key),
    abom: {
      agentVersion: abom.agent_version,
      agentHarnessId: abom.agent_harness_id,
      runningLocation: abom.running_location,
    },
    capabilities,
    ...(ttl == null ? {} : { ttlSeconds: ttl }),
    ...(ephemeral === true ? { ephemeral } : {}),
    ...(account_id == null ? {} : { accountId: account_id }),
    ...(user_id == null ? {} : { userId: user_id }),
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
