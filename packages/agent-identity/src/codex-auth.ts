export { type CodexAuthOptions, codexAuth } from "./codex-auth/codex-auth.js";
export { type CodexAuthStoreOptions, codexAuthStore } from "./codex-auth/codex-auth-store.js";
