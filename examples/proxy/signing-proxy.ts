import type { CredentialSource } from "@countersign/agent-key";
import { createSigningProxy, type SigningProxy } from "@countersign/assertion-proxy";

/** With `@countersign/agent-task` a source is a thread: `(id) => (id === undefined ? tasks.run() : tasks.thread(id))`. */
export async function sign(
  source: (threadId: string | undefined) => CredentialSource,
  clientToken: string,
): Promise<SigningProxy> {
  const proxy = createSigningProxy({ upstream: "https://api.example/v1", source, clientToken });
  const { url } = await proxy.listen({ host: "127.0.0.1", port: 4701 });
  // OPENAI_BASE_URL is this URL, OPENAI_API_KEY the client token.
  console.log(`listening on ${url}`);
  process.once("SIGTERM", () => void proxy.close());
  return proxy;
}
