import { AgentPublicKey } from "@countersign/agent-key";
import * as v from "valibot";
import { AgentIdentityError } from "../agent-identity-error.js";
import { describeIssues } from "./describe-issues.js";
import { principalId } from "./fields.js";

// Apart from the answer, because a client has no use for this schema, and a bundler cannot leave out a schema of a module that is loaded.

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
