import type { AgentPublicKey } from "@countersign/agent-key";
import { assertionText } from "../schema/assertion.js";
import type { ParsedAssertion } from "./parse-assertion.js";

/** Returns whether an assertion's signature is valid under a key, over the text rebuilt from the members. */
export function isSignedBy(parsed: ParsedAssertion, key: AgentPublicKey): boolean {
  const text = assertionText(parsed.agentRuntimeId, parsed.taskId, parsed.timestamp);
  return key.verify(text, parsed.signature);
}
