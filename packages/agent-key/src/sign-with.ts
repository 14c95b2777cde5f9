import { AgentKeyError } from "./agent-key-error.js";
import type { SyncAgentSigner } from "./agent-signer.js";

/**
 * Signs a text (as UTF-8) with a signer that has its signature at once.
 *
 * @returns standard base64 with padding
 * @throws {AgentKeyError} `config_invalid` if it has none, or gives a promise: `signWithAsync` of `/signers` waits for it
 */
export function signWith(key: SyncAgentSigner, text: string): string {
  const signature: unknown = key.signText?.(text);
  if (typeof signature === "string") return signature;
  throw new AgentKeyError("config_invalid", "the key does not sign at once", {
    hint: "use headerAsync",
  });
}
