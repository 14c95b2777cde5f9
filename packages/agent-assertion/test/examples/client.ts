import type { CredentialSource } from "@countersign/agent-key";
import { withAssertion } from "../../src/fetch.js";

export function createClient(thread: CredentialSource, origin: string): typeof fetch {
  return withAssertion(fetch, thread, { origins: [origin] });
}
