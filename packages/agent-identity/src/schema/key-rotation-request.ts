import { AgentPublicKey, decodeBase64, parseTimestamp } from "@countersign/agent-key";
import * as v from "valibot";
import { AgentIdentityError } from "../agent-identity-error.js";
import { describeIssues } from "./describe-issues.js";

// Apart from the answer for the same reason as the body of an agent registration.

const MAX_SIGNATURE_LENGTH = 88;

const signature = v.pipe(v.string(), v.minLength(1), v.maxLength(MAX_SIGNATURE_LENGTH));

/** Body of a key rotation: `{agent_public_key, timestamp, signature, new_key_signature, compromised?}` (protocol.md §5.6). Unknown members are ignored. */
export const keyRotationRequestSchema = v.pipe(
  v.object({
    agent_public_key: v.pipe(
      v.string(),
      v.maxLength(2048),
      v.description("The new public key, as an OpenSSH line."),
    ),
    timestamp: v.pipe(
      v.string(),
      v.maxLength(32),
      v.description("When both keys signed: RFC 3339, UTC, whole seconds, `Z`."),
    ),
    signature: v.pipe(
      signature,
      v.description(
        "The signature of the agent's newest key over the text of protocol §5.6, in base64.",
      ),
    ),
    new_key_signature: v.pipe(
      signature,
      v.description("The signature of the new key over the same text, in base64."),
    ),
    compromised: v.pipe(
      v.optional(v.literal(true)),
      v.description(
        "The replaced key is in other hands, and ends at once. Absent: it ends with the first use of the new key.",
      ),
    ),
  }),
  v.description("The new key of an agent (protocol §5.6). Unknown members are ignored."),
);

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

/**
 * Reads the parsed JSON body of a key rotation, for the authority. Checks the form alone; `verifyKeyRotation` checks the rest.
 *
 * @throws {AgentIdentityError} `invalid_request` for another form; `invalid_key` for a new key that is not valid
 */
export function parseKeyRotationRequest(body: unknown): KeyRotationRequest {
  const parsed = v.safeParse(keyRotationRequestSchema, body);
  if (!parsed.success) {
    throw new AgentIdentityError(
      "invalid_request",
      `not a key rotation: ${describeIssues(parsed)}`,
    );
  }
  const { agent_public_key, timestamp, compromised = false } = parsed.output;
  return {
    newPublicKey: parseNewKey(agent_public_key),
    timestamp: checkedTimestamp(timestamp),
    signature: parseSignature("signature", parsed.output.signature),
    newKeySignature: parseSignature("new_key_signature", parsed.output.new_key_signature),
    compromised,
  };
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
