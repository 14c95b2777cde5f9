import { withAssertion } from "@countersign/agent-assertion/fetch";
import type { CredentialSource } from "@countersign/agent-key";
import OpenAI from "openai";

export function createOpenAI(thread: CredentialSource, origin: string): OpenAI {
  return new OpenAI({
    apiKey: "none",
    baseURL: `${origin}/v1`,
    fetch: withAssertion(fetch, thread, { origins: [origin] }),
  });
}
