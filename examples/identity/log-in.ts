import { AgentIdentityManager, createAuthSlot, fileStore } from "@countersign/agent-identity";

export async function logIn(authority: string, home: string, accessToken: string) {
  const auth = createAuthSlot();
  const identities = new AgentIdentityManager({
    authority,
    auth,
    store: fileStore(home), // for instance "~/.my-agent"
  });
  identities.start(); // registers as soon as somebody is logged in
  auth.set({ kind: "human", accountId: "acct-1", userId: "user-1", accessToken });
  try {
    const identity = await identities.ensure();
    return `${identity?.agentRuntimeId} with ${identity?.key.publicKey.line}`;
  } finally {
    await identities.close();
  }
}
