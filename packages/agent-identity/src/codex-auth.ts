export { type CodexAuthOptions, codexAuth } from "./codex-auth/codex-auth.js";
export { type CodexAuthStoreOptions, codexAuthStore } from "./codex-auth/codex-auth-store.js";
export {
  type CodexAgent,
  type CodexKeyedAgent,
  loadCodexAgent,
} from "./codex-auth/load-codex-agent.js";
export { type RemovedCodexTask, removeCodexTask } from "./codex-auth/remove-codex-task.js";
export {
  type CodexLoginDecision,
  type CodexLoginRenewal,
  type FoundCodexAuth,
  renewCodexLogin,
} from "./codex-auth/renew-codex-login.js";
export { saveCodexAgent } from "./codex-auth/save-codex-agent.js";
