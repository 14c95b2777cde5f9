import { decodeBase64, isInstant, isServerId } from "@countersign/agent-key";
import * as v from "valibot";
import { AgentTaskError } from "../agent-task-error.js";

// 256 characters of an id sealed are 408 in base64; the rest is room for a foreign authority's padding.
const MAX_SEALED_CHARACTERS = 1024;
const LATEST_MS = Date.UTC(9999, 11, 31, 23, 59, 59);

const sealedId = v.nullish(v.pipe(v.string(), v.maxLength(MAX_SEALED_CHARACTERS)));

/**
 * The answer to a task registration. Loose: members that are not known are ignored, and null counts as absent.
 *
 * @see docs/protocol.md §5.5
 */
export const taskRegistrationResponseSchema = v.looseObject({
  task_id: v.nullish(v.string()),
  taskId: v.nullish(v.string()),
  encrypted_task_id: sealedId,
  encryptedTaskId: sealedId,
  expires_at: v.pipe(
    v.nullish(
      v.pipe(
        v.string(),
        v.check(isInstant, "not an instant of RFC 3339"),
        v.metadata({ format: "date-time" }),
      ),
    ),
    v.description("The end of the task that no use moves. Absent: it has no fixed end."),
  ),
});

/** A registered task, as the authority answered. */
export interface RegisteredTask {
  /** Checked by `isServerId`. */
  readonly taskId: string;
  /** Epoch milliseconds by the authority's clock. Absent: no known end. */
  readonly expiresAt?: number | undefined;
}

/** What an answer to a task registration says: the task's id, or the sealed box that holds it. Neither is checked. */
export interface TaskAnswer {
  readonly taskId: string | undefined;
  readonly sealedBox: Uint8Array | undefined;
  readonly expiresAt: string | undefined;
}

/**
 * Reads the answer to a task registration in all its forms; the first that is present counts: `task_id`, `taskId`, `encrypted_task_id`,
 * `encryptedTaskId` (a sealed box to the agent's key, standard base64). {@link toRegisteredTask} checks the rest.
 *
 * @param body - the parsed JSON, untrusted
 * @throws {AgentTaskError} `bad_response` for another form
 */
export function readTaskAnswer(body: unknown): TaskAnswer {
  const parsed = v.safeParse(taskRegistrationResponseSchema, body);
  if (!parsed.success) throw badResponse("the answer to a task registration has another form");
  const answer = parsed.output;
  const taskId = answer.task_id ?? answer.taskId ?? undefined;
  const sealed = answer.encrypted_task_id ?? answer.encryptedTaskId;
  const isSealed = taskId === undefined && typeof sealed === "string";
  return {
    taskId,
    sealedBox: isSealed ? decodeSealed(sealed) : undefined,
    expiresAt: answer.expires_at ?? undefined,
  };
}

/**
 * Checks what an answer says.
 *
 * @param opened - the content of its sealed box, if it has one
 * @throws {AgentTaskError} `bad_response` if there is no id, or id or end are not valid
 */
export function toRegisteredTask(answer: TaskAnswer, opened?: Uint8Array): RegisteredTask {
  const taskId = opened === undefined ? answer.taskId : decodeTaskId(opened);
  // Without this check an id could change the meaning of the signed text or reach a path.
  if (!isServerId(taskId)) {
    throw badResponse("the answer to a task registration holds no valid task id");
  }
  if (answer.expiresAt === undefined) return { taskId };
  const expiresAt = Date.parse(answer.expiresAt);
  // Later than the year 9999 it could not be written down again.
  if (!(expiresAt >= 0 && expiresAt <= LATEST_MS)) {
    throw badResponse("expires_at of the task names no usable instant");
  }
  return { taskId, expiresAt };
}

function decodeTaskId(opened: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(opened);
  } catch (cause) {
    throw badResponse("the encrypted task id does not hold UTF-8", cause);
  }
}

function decodeSealed(sealed: string): Uint8Array {
  try {
    return decodeBase64(sealed);
  } catch (cause) {
    throw badResponse("the encrypted task id is not standard base64", cause);
  }
}

function badResponse(message: string, cause?: unknown): AgentTaskError {
  return new AgentTaskError("bad_response", message, {
    cause,
    hint: "check that the authority's URL names an authority of agent identities",
  });
}
