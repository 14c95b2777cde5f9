import {
  type AgentKey,
  AgentPublicKey,
  decodeBase64,
  describeIssues,
  formatTimestamp,
  isServerId,
  parseTimestamp,
} from "@countersign/agent-key";

import * as z from "zod";
import { AgentIdentityError } from "../agent-identity-error.js";

const MAX_SIGNATURE_LENGTH = 88;

/**
 * Where an agent's key is rotated, below the authority's base URL: `/v1/agent/{id}/key`.
 *
 * @param agentRuntimeId - an id, or a router's placeholder for one; written as it is
 */
export function keyRotationPath(agentRuntimeId: string): string {
  return `/v1/agent/${agentRuntimeId}/key`;
}

const signature = z.string().min(1).max(MAX_SIGNATURE_LENGTH);

/** Body of a key rotation: `{agent_public_key, timestamp, signature, new_key_signature, compromised?}` (protocol.md §5.6). Unknown members are ignored. */
export const keyRotationRequestSchema = z.object({
  agent_public_key: z.string().max(2048),
  timestamp: z.string().max(32),
  signature,
  new_key_signature: signature,
  compromised: z.literal(true).optional(),
});

/** Answer to a key rotation: `{agent_runtime_id, agent_public_key, former_key_ends_at}`. Unknown members are ignored. */
export const keyRotationResponseSchema = z.object({
  agent_runtime_id: z.string().refine(isServerId, "not a server's id"),
  agent_public_key: z.string().max(2048),
  former_key_ends_at: z.iso.datetime({ offset: true }).nullable(),
});

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

/** A key rotation as it was sent. Its form is checked, its signatures are not. */
export interface KeyRotationRequest {
  readonly newPublicKey: AgentPublicKey;
  readonly timestamp: string;
  /** By the key that is replaced; 64 bytes where it is sound. */
  readonly signature: Uint8Array;
  /** By the key that takes over. */
  readonly newKeySignature: Uint8Array;
  /** The replaced key is in other hands and ends at once. */
  readonly compromised: boolean;
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

/** Makes the body of a key rotation. Pure: the same input gives the same bytes. */
export function createKeyRotationRequest(
  rotation: Omit<KeyRotation, "newPublicKey">,
  keys: {
    /** The key that is replaced. */
    readonly current: AgentKey;
    /** The key that takes over. */
    readonly next: AgentKey;
    /** The replaced key is in other hands: it ends at once. Default false. */
    readonly compromised?: boolean | undefined;
  },
): z.input<typeof keyRotationRequestSchema> {
  const { current, next, compromised = false } = keys;
  const text = keyRotationText({ ...rotation, newPublicKey: next.publicKey });
  return {
    agent_public_key: next.publicKey.line,
    timestamp: rotation.timestamp,
    signature: current.signText(text),
    new_key_signature: next.signText(text),
    ...(compromised ? { compromised } : {}),
  };
}

/**
 * Reads the parsed JSON body of a key rotation, for the authority. Checks the form alone; `verifyKeyRotation` checks the rest.
 *
 * @throws {AgentIdentityError} `invalid_request` for another form; `invalid_key` for a new key that is not valid
 */
export function parseKeyRotationRequest(body: unknown): KeyRotationRequest {
  const parsed = keyRotationRequestSchema.safeParse(body);
  if (!parsed.success) {
    throw new AgentIdentityError(
      "invalid_request",
      `not a key rotation: ${describeIssues(parsed.error)}`,
      { cause: parsed.error },
    );
  }
  const { agent_public_key, timestamp, compromised = false } = parsed.data;
  return {
    newPublicKey: parseNewKey(agent_public_key),
    timestamp: checkedTimestamp(timestamp),
    signature: parseSignature("signature", parsed.data.signature),
    newKeySignature: parseSignature("new_key_signature", parsed.data.new_key_signature),
    compromised,
  };
}

/** Makes the authority's answer to a key rotation. */
export function createKeyRotationResponse(
  response: KeyRotationResponse,
): z.input<typeof keyRotationResponseSchema> {
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
  const parsed = keyRotationResponseSchema.safeParse(body);
  try {
    if (!parsed.success) throw parsed.error;
    const { agent_runtime_id, agent_public_key, former_key_ends_at } = parsed.data;
    return {
      agentRuntimeId: agent_runtime_id,
      publicKey: AgentPublicKey.parse(agent_public_key),
      formerKeyEndsAt: former_key_ends_at === null ? null : Date.parse(former_key_ends_at),
    };
  } catch (cause) {
    const what = parsed.success ? "names no key" : describeIssues(parsed.error);
    throw new AgentIdentityError(
      "bad_response",
      `the authority's answer to the key rotation is unusable: ${what}`,
      { cause, hint: "ask the authority's operator; the rotation can be repeated" },
    );
  }
}

function parseNewKey(line: string): AgentPublicKey {
  try {
    return AgentPublicKey.parse(line);
  } catch (cause) {
    throw new AgentIdentityError("invalid_key", "agent_public_key is not a sound Ed25519 key", {
      cause,
      hint: 'send "ssh-ed25519 <base64>"',
    });
  }
}

function parseSignature(name: string, text: string): Uint8Array {
  try {
    return decodeBase64(text);
  } catch (cause) {
    throw new AgentIdentityError(
      "invalid_request",
      `not a key rotation: ${name} is no standard base64`,
      { cause },
    );
  }
}

function checkedTimestamp(text: string): string {
  try {
    parseTimestamp(text);
    return text;
  } catch (cause) {
    throw new AgentIdentityError(
      "invalid_request",
      "not a key rotation: timestamp has another form than YYYY-MM-DDTHH:MM:SSZ",
      { cause },
    );
  }
}
