import type { IncomingMessage } from "node:http";
import {
  checkContentDigest,
  checkMessageSignature,
  fieldValue,
} from "@countersign/agent-assertion/message-signature";
import { agentRegistrationKeyid } from "@countersign/agent-identity/server";
import { type AgentPublicKey, CountersignError, parseTimestamp } from "@countersign/agent-key";
import { Refusal } from "../registry/refusal.js";
import type { Instant } from "../registry/times.js";
import type { AuthorityContext } from "./authority-context.js";
import { stateOf } from "./request-state.js";
import { targetUriOf } from "./target-uri.js";

// As long as a client may still have to learn the offset of its clock, and as an unproven claim lasts (protocol §5.4, §10).
const MAX_AGE_SECONDS = 86_400;

interface ExpectedProof {
  readonly keyid: string;
  readonly publicKeys: readonly AgentPublicKey[];
  readonly created: number | ((created: number) => boolean);
}

/**
 * Checks the registration proof of an agent registration: made by the key in its body, within a day.
 *
 * @returns whether the sender holds the key; `false` without a proof, where one is not required
 * @throws {Refusal} `bad_signature` when it does not hold, or is not there and required
 * @see protocol §5.3
 */
export function isProvenAgentRegistration(
  context: AuthorityContext,
  request: IncomingMessage,
  publicKey: AgentPublicKey,
  instant: Instant,
): boolean {
  return isProven(context, request, {
    keyid: agentRegistrationKeyid(publicKey),
    publicKeys: [publicKey],
    created: (seconds) => Math.abs(instant.epochMs - seconds * 1000) <= MAX_AGE_SECONDS * 1000,
  });
}

/**
 * Checks the registration proof of a task registration whose own signature held: by the agent's key, at the body's timestamp.
 *
 * @throws {Refusal} as {@link isProvenAgentRegistration}
 */
export function checkTaskRegistrationSignature(
  context: AuthorityContext,
  request: IncomingMessage,
  agentRuntimeId: string,
  publicKeys: readonly AgentPublicKey[],
  timestamp: string,
): void {
  isProven(context, request, {
    keyid: agentRuntimeId,
    publicKeys,
    created: parseTimestamp(timestamp) / 1000,
  });
}

function isProven(
  context: AuthorityContext,
  request: IncomingMessage,
  { keyid, publicKeys, created }: ExpectedProof,
): boolean {
  const targetUri = targetUriOf(context, request);
  if (targetUri !== undefined && holds(request, targetUri, { keyid, publicKeys, created })) {
    return true;
  }
  if (context.registrationProof === "accept") return false;
  throw new Refusal("bad_signature", "a registration takes a registration proof here", {
    hint:
      targetUri === undefined
        ? "the operator must set the authority's public URL, which the proof covers"
        : 'sign it with the agent\'s key, with the tag "agent-registration"',
  });
}

function holds(request: IncomingMessage, targetUri: string, expected: ExpectedProof): boolean {
  const { rawHeaders, method = "" } = request;
  const digest = fieldValue(rawHeaders, "content-digest") ?? "";
  const idempotencyKey = fieldValue(rawHeaders, "idempotency-key");
  try {
    const proof = checkMessageSignature({
      rawHeaders,
      tag: "agent-registration",
      components: [
        ["@method", method],
        ["@target-uri", targetUri],
        ["content-digest", digest],
        ...(idempotencyKey === undefined ? [] : [["idempotency-key", idempotencyKey] as const]),
      ],
      created: expected.created,
      keyid: expected.keyid,
      holds: (text, signature) => expected.publicKeys.some((key) => key.verify(text, signature)),
    });
    if (proof !== undefined) checkContentDigest(digest, stateOf(request).body ?? new Uint8Array());
    return proof !== undefined;
  } catch (cause) {
    if (!CountersignError.is(cause)) throw cause;
    throw new Refusal("bad_signature", `the registration proof does not hold: ${cause.message}`, {
      cause,
      hint: `it covers ${targetUri} as its target; where clients call another URL, the operator sets the public URL`,
    });
  }
}
