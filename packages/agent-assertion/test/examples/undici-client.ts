import type { CredentialSource } from "@countersign/agent-key";
import { Agent, type Dispatcher, interceptors } from "undici";
import { assertionInterceptor } from "../../src/undici.js";

export function createDispatcher(thread: CredentialSource, origin: string): Dispatcher {
  return new Agent().compose(
    assertionInterceptor(thread, { origins: [`${origin}/v1/*`] }),
    interceptors.redirect({ maxRedirections: 5 }),
    interceptors.retry(),
  );
}
