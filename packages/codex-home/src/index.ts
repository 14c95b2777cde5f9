export { type CodexAuthOptions, codexAuth } from "./codex-auth.js";
export { type CodexAuthStoreOptions, codexAuthStore } from "./codex-auth-store.js";
export {
  type CodexAgent,
  type CodexKeyedAgent,
  loadCodexAgent,
} from "./load-codex-agent.js";
export { type RemovedCodexTask, removeCodexTask } from "./remove-codex-task.js";
export {
  type CodexLoginDecision,
  type CodexLoginRenewal,
  type FoundCodexAuth,
  renewCodexLogin,
} from "./renew-codex-login.js";
export { saveCodexAgent } from "./save-codex-agent.js";
