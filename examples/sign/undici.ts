import { assertionInterceptor } from "@countersign/agent-assertion/undici";
import type { CredentialSource } from "@countersign/agent-key";
import { Agent, type Dispatcher, interceptors } from "undici";

export function createDispatcher(thread: CredentialSource, origin: string): Dispatcher {
  return new Agent().compose(
    assertionInterceptor(thread, { origins: [`${origin}/v1/*`] }),
    interceptors.redirect({ maxRedirections: 5 }),
    interceptors.retry(),
  );
}
