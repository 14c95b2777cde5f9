import { decodeBase64, parseTimestamp } from "@countersign/agent-key";
import * as v from "valibot";
import { AgentIdentityError } from "../agent-identity-error.js";
import { describeIssues } from "./describe-issues.js";

// Apart from the answer for the same reason as the body of an agent registration.

const MAX_SIGNATURE_LENGTH = 88;

/** Body by which an agent ends itself or a task: `{timestamp, signature}` (protocol.md §5.7). Unknown members are ignored. */
export const ownEndRequestSchema = v.pipe(
  v.object({
    timestamp: v.pipe(
      v.string(),
      v.maxLength(32),
      v.description("When the agent signed: RFC 3339, UTC, whole seconds, `Z`."),
    ),
    signature: v.pipe(
      v.string(),
      v.minLength(1),
      v.maxLength(MAX_SIGNATURE_LENGTH),
      v.description("The signature of the agent's key over the text of protocol §5.7, in base64."),
    ),
  }),
  v.description("What an agent signs to end itself or a task (protocol §5.7)."),
);

/** The end as it was sent. Its form is checked, its signature is not. */
export interface OwnEndRequest {
  readonly timestamp: string;
  /** 64 bytes where it is sound. */
  readonly signature: Uint8Array;
}

/**
 * Reads the parsed JSON body of an end, for the authority. Checks the form alone; `verifyOwnEnd` checks the rest.
 *
 * @throws {AgentIdentityError} `invalid_request`
 */
export function parseOwnEndRequest(body: unknown): OwnEndRequest {
  const parsed = v.safeParse(ownEndRequestSchema, body);
  if (!parsed.success) throw notAnEnd(describeIssues(parsed));
  const { timestamp } = parsed.output;
  try {
    parseTimestamp(timestamp);
  } catch (cause) {
    throw notAnEnd("timestamp has another form than YYYY-MM-DDTHH:MM:SSZ", cause);
  }
  try {
    return { timestamp, signature: decodeBase64(parsed.output.signature) };
  } catch (cause) {
    throw notAnEnd("signature is not standard base64", cause);
  }
}

function notAnEnd(what: string, cause?: unknown): AgentIdentityError {
  return new AgentIdentityError("invalid_request", `not an agent's end: ${what}`, { cause });
}
