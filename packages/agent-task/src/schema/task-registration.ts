import { type AgentSigner, decodeBase64, isInstant, isServerId } from "@countersign/agent-key";
import * as v from "valibot";
import { AgentTaskError } from "../agent-task-error.js";
import { openBox } from "../open-sealed-box.js";

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

/**
 * Parses the answer to a task registration in all its forms; the first that is present counts: `task_id`, `taskId`,
 * `encrypted_task_id`, `encryptedTaskId` (a sealed box to the agent's key, standard base64).
 *
 * @param body - the parsed JSON, untrusted
 * @param key - the key that signed the registration
 * @throws {AgentTaskError} `bad_response` if no form is present, the box does not open, or the id is not valid (docs/protocol.md §3)
 * @see docs/protocol.md §5.5
 */
export function parseTaskRegistrationResponse(body: unknown, key: AgentSigner): RegisteredTask {
  return readTaskRegistration(body, key);
}

/** Parses as {@link parseTaskRegistrationResponse}; `shared` is the shared secret of the sealed box, if it is known already. */
export function readTaskRegistration(
  body: unknown,
  key: AgentSigner,
  shared?: Uint8Array,
): RegisteredTask {
  const parsed = v.safeParse(taskRegistrationResponseSchema, body);
  if (!parsed.success) {
    throw badResponse("the answer to a task registration has another form");
  }
  const answer = parsed.output;
  const sealed = answer.encrypted_task_id ?? answer.encryptedTaskId;
  const taskId =
    answer.task_id ??
    answer.taskId ??
    (typeof sealed === "string" ? openTaskId(sealed, key, shared) : undefined);
  // Without this check an id could change the meaning of the signed text or reach a path.
  if (!isServerId(taskId)) {
    throw badResponse("the answer to a task registration holds no valid task id");
  }
  if (typeof answer.expires_at !== "string") return { taskId };
  const expiresAt = Date.parse(answer.expires_at);
  // Later than the year 9999 it could not be written down again.
  if (!(expiresAt >= 0 && expiresAt <= LATEST_MS)) {
    throw badResponse("expires_at of the task names no usable instant");
  }
  return { taskId, expiresAt };
}

/** The sealed box that parsing an answer to a task registration opens; `undefined` if it opens none, or one that cannot be read. */
export function sealedBoxIn(body: unknown): Uint8Array | undefined {
  const parsed = v.safeParse(taskRegistrationResponseSchema, body);
  if (!parsed.success) return undefined;
  const answer = parsed.output;
  if (typeof (answer.task_id ?? answer.taskId) === "string") return undefined;
  const sealed = answer.encrypted_task_id ?? answer.encryptedTaskId;
  try {
    return typeof sealed === "string" ? decodeBase64(sealed) : undefined;
  } catch {
    return undefined;
  }
}

function openTaskId(sealed: string, key: AgentSigner, shared: Uint8Array | undefined): string {
  const opened = openBox(decodeSealed(sealed), key, shared);
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
