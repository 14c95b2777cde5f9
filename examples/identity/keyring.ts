import { AgentIdentityManager, type AuthSource } from "@countersign/agent-identity";
import { keyringStore } from "@countersign/agent-identity/keyring-store";

export function openKeyringIdentities(authority: string, auth: AuthSource, home: string) {
  return new AgentIdentityManager({
    authority,
    auth,
    store: keyringStore({ directory: home }), // for instance "~/.my-agent"
  });
}
