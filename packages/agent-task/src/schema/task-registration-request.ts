import { decodeBase64, parseTimestamp } from "@countersign/agent-key";
import * as z from "zod";
import { AgentTaskError } from "../agent-task-error.js";
import type { TaskRegistration } from "../sign/sign-task-registration.js";

/**
 * The body of a task registration. Loose: Codex may add members, and none but these two is looked at.
 *
 * @see docs/protocol.md §5.5
 */
export const taskRegistrationRequestSchema = z.looseObject({
  // 64 bytes in standard base64; another alphabet or stray bits would give one signature two spellings.
  signature: z.string().refine(isSignature, "not 64 bytes in canonical base64"),
  timestamp: z.string().refine(isTimestamp, "not a timestamp of the form YYYY-MM-DDTHH:MM:SSZ"),
});

/**
 * Parses the body of a task registration. Only its form is checked: `verifyTaskRegistration` does the rest.
 *
 * @param body - the parsed JSON, untrusted
 * @throws {AgentTaskError} `invalid_request` when it has another form
 * @see docs/protocol.md §5.5
 */
export function parseTaskRegistrationRequest(body: unknown): TaskRegistration {
  const parsed = taskRegistrationRequestSchema.safeParse(body);
  if (!parsed.success) {
    throw new AgentTaskError("invalid_request", "the body is no task registration", {
      cause: parsed.error,
      hint: "send {signature, timestamp} as JSON",
    });
  }
  return { signature: parsed.data.signature, timestamp: parsed.data.timestamp };
}

function isSignature(text: string): boolean {
  try {
    return decodeBase64(text).length === 64;
  } catch {
    // decodeBase64 throws for nothing but another form.
    return false;
  }
}

function isTimestamp(text: string): boolean {
  try {
    return Number.isFinite(parseTimestamp(text));
  } catch {
    // parseTimestamp throws for nothing but another form.
    return false;
  }
}
