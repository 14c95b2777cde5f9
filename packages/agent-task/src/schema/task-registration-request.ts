import { decodeBase64, isThreadLabel, parseTimestamp } from "@countersign/agent-key";
import * as v from "valibot";
import { AgentTaskError } from "../agent-task-error.js";
import type { TaskRegistration } from "../sign/sign-task-registration.js";

/**
 * The body of a task registration. Loose: Codex may add members, and none but these is looked at.
 *
 * @see docs/protocol.md §5.5
 */
export const taskRegistrationRequestSchema = v.pipe(
  v.looseObject({
    // 64 bytes in standard base64; another alphabet or stray bits would give one signature two spellings.
    signature: v.pipe(
      v.string(),
      v.check(isSignature, "not 64 bytes in canonical base64"),
      v.description(
        "The agent's signature over `{agent_runtime_id}:{timestamp}`, or over the text of protocol T-11 with `plain_task_id`, in base64.",
      ),
    ),
    timestamp: v.pipe(
      v.string(),
      v.check(isTimestamp, "not a timestamp of the form YYYY-MM-DDTHH:MM:SSZ"),
      v.description("When the agent signed: RFC 3339, UTC, whole seconds, `Z`."),
    ),
    plain_task_id: v.pipe(
      v.optional(v.literal(true)),
      v.description(
        "The agent's key opens no sealed box: the answer has `task_id`. Absent: it has `encrypted_task_id`.",
      ),
    ),
    thread_label: v.optional(
      v.pipe(
        v.string(),
        v.check((label) => isThreadLabel(label), "not 1 to 64 characters that are shown"),
        v.description(
          "What the client calls the thread, in 1 to 64 characters that are shown (protocol T-14). It is shown to operators: no decision rests on it, and no secret belongs in it. Absent: no label.",
        ),
      ),
    ),
  }),
  v.description(
    "The agent's signature, by which it registers a task (protocol §5.5). Unknown members are ignored.",
  ),
);

/**
 * Parses the body of a task registration. Only its form is checked: `verifyTaskRegistration` does the rest.
 *
 * @param body - the parsed JSON, untrusted
 * @throws {AgentTaskError} `invalid_request` when it has another form
 * @see docs/protocol.md §5.5
 */
export function parseTaskRegistrationRequest(body: unknown): TaskRegistration {
  const parsed = v.safeParse(taskRegistrationRequestSchema, body);
  if (!parsed.success) {
    throw new AgentTaskError("invalid_request", "the body is no task registration", {
      hint: "send {signature, timestamp} as JSON; plain_task_id, if present, is true; thread_label, if present, is 1 to 64 characters that are shown",
    });
  }
  const { signature, timestamp, plain_task_id, thread_label } = parsed.output;
  return {
    signature,
    timestamp,
    ...(plain_task_id === undefined ? {} : { plain_task_id }),
    ...(thread_label === undefined ? {} : { thread_label }),
  };
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
