import { withAssertion } from "@countersign/agent-assertion/fetch";
import { AgentIdentityManager, fixedAuth, memoryStore } from "@countersign/agent-identity";
import { AgentPublicKey, type AgentSigner } from "@countersign/agent-key";
import { AgentTaskManager } from "@countersign/agent-task";

/** A new key that cannot be exported, by this program neither. It ends with the process. */
export async function webCryptoSigner(): Promise<AgentSigner> {
  const { subtle } = globalThis.crypto;
  const usages = ["sign", "verify"] as const;
  const { privateKey, publicKey } = await subtle.generateKey("Ed25519", false, usages);
  const bytes = await subtle.exportKey("raw", publicKey);
  return {
    publicKey: AgentPublicKey.fromBytes(new Uint8Array(bytes)),
    sign: async (message) =>
      new Uint8Array(await subtle.sign("Ed25519", privateKey, Uint8Array.from(message))),
  };
}

/** One job: an agent that is registered for it, and whose key is gone with it. */
export async function doJob(authority: string, accessToken: string, api: string): Promise<string> {
  const identities = new AgentIdentityManager({
    authority,
    auth: fixedAuth({ kind: "human", accountId: "acct-1", userId: "user-1", accessToken }),
    store: memoryStore(),
    signers: [await webCryptoSigner()],
    ttlSeconds: 3600,
  });
  const tasks = new AgentTaskManager({ identities });
  const fetch = withAssertion(globalThis.fetch, tasks.run(), { origins: [api] });
  try {
    return await (await fetch(api)).text();
  } finally {
    await tasks.close();
    await identities.close();
  }
}
