import type { AgentSigner } from "@countersign/agent-key";
import { openSealedBox } from "../open-sealed-box.js";
import { type RegisteredTask, readTaskAnswer, toRegisteredTask } from "./task-answer.js";

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
  const answer = readTaskAnswer(body);
  const { sealedBox } = answer;
  return toRegisteredTask(answer, sealedBox && openSealedBox(sealedBox, key));
}
