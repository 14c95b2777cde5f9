import {
  type AuthSource,
  type LoginAuthOptions,
  loginAuth,
  memoryStore,
} from "@countersign/agent-identity";
import { type CodexAuthStoreOptions, codexAuthStore } from "./codex-auth-store.js";

/** Options of {@link codexAuth}. */
export interface CodexAuthOptions
  extends LoginAuthOptions,
    Pick<CodexAuthStoreOptions, "authority" | "proof"> {}

/**
 * The login of a Codex home as an auth source, read again at every call: a human by `tokens`, or an agent by an identity JWT (verified as
 * `loginAuth` does). There is no login if there is no `auth.json`, or if Codex works with an API key.
 *
 * Sends no request for a human's login. An access token that has ended is renewed by Codex alone.
 *
 * @param codexHome - absolute, or begins with `~/`
 * @throws {StoreError} `config_invalid` if `codexHome` is a relative path, or there is no home folder for `~/`
 * @throws {AgentKeyError} `config_invalid`, naming the option, if one is missing or wrong
 */
export function codexAuth(codexHome: string, options: CodexAuthOptions): AuthSource {
  const store = codexAuthStore(codexHome, { ...options, beside: memoryStore() });
  return loginAuth(store, options.authority, options);
}
