import { AgentKey, AgentKeyError, AgentPublicKey, decodeBase64 } from "@countersign/agent-key";

export function signAndCheck(stored: string): string {
  const key = AgentKey.importPkcs8(stored);
  const text = "agent-123:task-123:2026-03-23T12:00:00Z";
  const signature = key.signText(text);

  // On the other side, which knows the public line alone:
  const publicKey = AgentPublicKey.parse(key.publicKey.line);
  const holds = publicKey.verify(text, decodeBase64(signature));
  return `${key} ${holds}`;
}

export function explain(error: unknown): string {
  if (AgentKeyError.is(error)) return `${error.code}: ${error.message} (${error.hint})`;
  throw error;
}
