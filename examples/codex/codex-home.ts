import { AgentIdentityManager, fileStore } from "@countersign/agent-identity";
import { codexAuth, codexAuthStore } from "@countersign/codex-home";

export function openCodexIdentities(authority: string, codexHome: string, home: string) {
  return new AgentIdentityManager({
    authority,
    auth: codexAuth(codexHome, { authority }), // for instance "~/.codex"
    store: codexAuthStore(codexHome, { authority, beside: fileStore(home) }),
  });
}
