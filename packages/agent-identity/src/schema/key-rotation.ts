import {
  AgentPublicKey,
  type AgentSigner,
  formatTimestamp,
  type SyncAgentSigner,
  signWith,
} from "@countersign/agent-key";
import { type SignWithOptions, signWithAsync } from "@countersign/agent-key/signers";

import * as v from "valibot";
import { AgentIdentityError } from "../agent-identity-error.js";
import { describeIssues } from "./describe-issues.js";
import { instant, serverId } from "./fields.js";
import type { keyRotationRequestSchema } from "./key-rotation-request.js";

/**
 * Where an agent's key is rotated, below the authority's base URL: `/v1/agent/{id}/key`.
 *
 * @param agentRuntimeId - an id, or a router's placeholder for one; written as it is
 */
export function keyRotationPath(agentRuntimeId: string): string {
  return `/v1/agent/${agentRuntimeId}/key`;
}

/** Answer to a key rotation: `{agent_runtime_id, agent_public_key, former_key_ends_at}`. Unknown members are ignored. */
export const keyRotationResponseSchema = v.pipe(
  v.object({
    agent_runtime_id: v.pipe(serverId, v.description("The id of the agent.")),
    agent_public_key: v.pipe(
      v.string(),
      v.maxLength(2048),
      v.description("The agent's new public key, as an OpenSSH line."),
    ),
    former_key_ends_at: v.pipe(
      v.nullable(instant),
      v.description(
        "When the replaced key ends at the latest. It ends earlier with the first use of the new key. `null`: it has ended.",
      ),
    ),
  }),
  v.description("The agent's new key."),
);

/** What both keys of a rotation sign. */
export interface KeyRotation {
  /**
   * Base URL of the authority, normalised as `parseAuthority` does, with the path under which it is mounted (`/backend-api`): what the client
   * calls it by. An authority without a `publicUrl` is called `http://<Host>`, and that prefix.
   */
  readonly authority: string;
  readonly agentRuntimeId: string;
  /** RFC 3339, UTC, whole seconds, `Z`. */
  readonly timestamp: string;
  /** The key that takes over. */
  readonly newPublicKey: AgentPublicKey;
}

/** What an authority answers to a key rotation. */
export interface KeyRotationResponse {
  readonly agentRuntimeId: string;
  /** The agent's key from now on. */
  readonly publicKey: AgentPublicKey;
  /** When the replaced key ends at the latest, epoch milliseconds: earlier with the first use of the new one. `null`: it has ended. */
  readonly formerKeyEndsAt: number | null;
}

/**
 * The text that both keys of a rotation sign.
 *
 * @see protocol.md §5.6
 */
export function keyRotationText(rotation: KeyRotation): string {
  const { authority, agentRuntimeId, timestamp, newPublicKey } = rotation;
  // None of them can hold a line break: a base URL, an id of protocol §3, a timestamp, a line of OpenSSH.
  return ["countersign-rotate-v1", authority, agentRuntimeId, timestamp, newPublicKey.line].join(
    "\n",
  );
}

/** The two keys of a rotation. */
export interface RotationKeys<Signer extends AgentSigner = SyncAgentSigner> {
  /** The key that is replaced. */
  readonly current: Signer;
  /** The key that takes over. */
  readonly next: Signer;
  /** The replaced key is in other hands: it ends at once. Default false. */
  readonly compromised?: boolean | undefined;
}

/**
 * Makes the body of a key rotation. Pure: the same input gives the same bytes.
 *
 * @throws {AgentKeyError} as `signWith`: `config_invalid` if a key gives a promise
 */
export function createKeyRotationRequest(
  rotation: Omit<KeyRotation, "newPublicKey">,
  keys: RotationKeys,
): v.InferInput<typeof keyRotationRequestSchema> {
  const { current, next } = keys;
  const text = keyRotationText({ ...rotation, newPublicKey: next.publicKey });
  return bodyOf(rotation, keys, signWith(current, text), signWith(next, text));
}

/**
 * Makes the same body with any two signers.
 *
 * @throws {AgentKeyError} as `signWithAsync`
 */
export async function createKeyRotationRequestAsync(
  rotation: Omit<KeyRotation, "newPublicKey">,
  keys: RotationKeys<AgentSigner>,
  options?: SignWithOptions,
): Promise<v.InferInput<typeof keyRotationRequestSchema>> {
  const { current, next } = keys;
  const text = keyRotationText({ ...rotation, newPublicKey: next.publicKey });
  const signature = await signWithAsync(current, text, options);
  return bodyOf(rotation, keys, signature, await signWithAsync(next, text, options));
}

function bodyOf(
  { timestamp }: Omit<KeyRotation, "newPublicKey">,
  { next, compromised = false }: RotationKeys<AgentSigner>,
  signature: string,
  newKeySignature: string,
): v.InferInput<typeof keyRotationRequestSchema> {
  return {
    agent_public_key: next.publicKey.line,
    timestamp,
    signature,
    new_key_signature: newKeySignature,
    ...(compromised ? { compromised } : {}),
  };
}

/** Makes the authority's answer to a key rotation. */
export function createKeyRotationResponse(
  response: KeyRotationResponse,
): v.InferInput<typeof keyRotationResponseSchema> {
  const { agentRuntimeId, publicKey, formerKeyEndsAt } = response;
  return {
    agent_runtime_id: agentRuntimeId,
    agent_public_key: publicKey.line,
    former_key_ends_at: formerKeyEndsAt === null ? null : formatTimestamp(formerKeyEndsAt),
  };
}

/**
 * Reads the parsed JSON answer to a key rotation. Whether it is about the agent and key of the request is its sender's to check.
 *
 * @throws {AgentIdentityError} `bad_response`
 */
export function parseKeyRotationResponse(body: unknown): KeyRotationResponse {
  const parsed = v.safeParse(keyRotationResponseSchema, body);
  if (!parsed.success) throw unusable(describeIssues(parsed));
  const { agent_runtime_id, agent_public_key, former_key_ends_at } = parsed.output;
  try {
    return {
      agentRuntimeId: agent_runtime_id,
      publicKey: AgentPublicKey.parse(agent_public_key),
      formerKeyEndsAt: former_key_ends_at === null ? null : Date.parse(former_key_ends_at),
    };
  } catch (cause) {
    throw unusable("names no key", cause);
  }
}

function unusable(what: string, cause?: unknown): AgentIdentityError {
  return new AgentIdentityError(
    "bad_response",
    `the authority's answer to the key rotation is unusable: ${what}`,
    { cause, hint: "ask the authority's operator; the rotation can be repeated" },
  );
}
