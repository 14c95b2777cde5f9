export { type CodexAuthOptions, codexAuth } from "./codex-auth/codex-auth.js";
export { type CodexAuthStoreOptions, codexAuthStore } from "./codex-auth/codex-auth-store.js";
export {
  type CodexAgent,
  type CodexKeyedAgent,
  loadCodexAgent,
} from "./codex-auth/load-codex-agent.js";
