import type { Credential } from "@countersign/agent-key";
import { signsAtOnce } from "@countersign/agent-key/signers";
import type { ReadyCredential } from "../ready-credential.js";

/** Whether a credential needs no wait: of agents only those with an `AgentKey`. */
export function isReady<Given extends Credential>(
  credential: Given,
): credential is Given & ReadyCredential {
  return credential.kind !== "agent" || signsAtOnce(credential.key);
}
