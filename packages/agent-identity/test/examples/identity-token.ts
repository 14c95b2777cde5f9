import { AgentIdentityManager, memoryStore } from "@countersign/agent-identity";
import {
  identityTokenAuth,
  keySetUrl,
  remoteKeySet,
} from "@countersign/agent-identity/identity-token";

export function useIdentityToken(authority: string, readToken: () => Promise<string>) {
  return new AgentIdentityManager({
    authority,
    auth: identityTokenAuth({
      token: readToken, // asked at each use, so that a new token takes over
      keySet: remoteKeySet(keySetUrl(authority)),
      authority,
    }),
    store: memoryStore(), // stays empty: the agent comes with its key
  });
}
