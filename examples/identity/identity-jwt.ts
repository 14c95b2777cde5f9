import { AgentIdentityManager, memoryStore } from "@countersign/agent-identity";
import { identityJwtAuth, keySetUrl, remoteKeySet } from "@countersign/agent-identity/identity-jwt";

export function useIdentityJwt(authority: string, readToken: () => Promise<string>) {
  return new AgentIdentityManager({
    authority,
    auth: identityJwtAuth({
      token: readToken, // asked at each use, so that a new token takes over
      keySet: remoteKeySet(keySetUrl(authority)),
      authority,
    }),
    store: memoryStore(), // stays empty: the agent comes with its key
  });
}
