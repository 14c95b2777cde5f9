import { withAssertion } from "@countersign/agent-assertion/fetch";
import type { CredentialSource } from "@countersign/agent-key";

export function createClient(thread: CredentialSource, origin: string): typeof fetch {
  return withAssertion(fetch, thread, { origins: [origin] });
}
