import type { CredentialStore, Credentials } from "@countersign/agent-identity";
import { type HttpUrlOptions, parseAuthority } from "@countersign/agent-key";
import { type AuthFile, authPath, loadAuthFile, resolveAuthFile } from "./auth-file.js";
import { CodexView } from "./codex-view.js";
import { CODEX_AUTH_STORE, checkOptions } from "./option-shapes.js";
import { updateAuthFile } from "./update-auth-file.js";

/** Options of {@link codexAuthStore}. */
export interface CodexAuthStoreOptions extends HttpUrlOptions {
  /**
   * Base URL of the authority that this Codex home is logged in to and registers with. Has to be told: no URL in the file is trusted. An
   * identity that was registered here with another authority stays that one's.
   */
  readonly authority: string;
  /**
   * Keeps what has no place in `auth.json`: identities of other accounts, keys that are not registered yet, and a copy of its own. For
   * instance `fileStore(home)`.
   */
  readonly beside: CredentialStore;
  /** How the human is proven to the authority. Default `bearer`. */
  readonly proof?: "bearer" | "biscuit" | undefined;
  /**
   * The form in which an agent is written: `A` for Codex 0.122 and 0.123, `C` for 0.150 and newer. A Codex that finds the other one cannot read its
   * whole login. The same agent in the other form is replaced. Default: `A`, and an object of C stays.
   */
  readonly form?: "A" | "C" | undefined;
}

/**
 * Keeps identities where Codex does, in `auth.json` of a Codex home, so that Codex and this program are one agent.
 *
 * - The login is Codex's: read from `tokens`, or from an identity JWT, and never changed.
 * - `agent_identity` is read in the forms of all generations. It is written in one `form`, for the account that is logged in.
 * - `agent_identity` is written only if the file has none, or has an object of that form, or if `form` is given and the object is the same
 *   agent's. Any other object, and one that cannot be read, stays until it is forgotten on purpose; the identity is then kept in `beside`
 *   alone.
 * - All other members are kept as they are written, in their order.
 * - The file is never made. It is replaced atomically, with mode 0600, under a lock; of a symbolic link, the target is replaced. If Codex
 *   wrote in between, the change is made again on top of what it wrote.
 *
 * `update((current) => current)` puts the identity of the account that is logged in now into `auth.json`.
 *
 * @param codexHome - absolute, or begins with `~/`
 * @throws {StoreError} `config_invalid` if `codexHome` is a relative path, or there is no home folder for `~/`
 * @throws {AgentKeyError} `config_invalid`, naming the option, if one is missing or wrong
 */
export function codexAuthStore(codexHome: string, options: CodexAuthStoreOptions): CredentialStore {
  const path = authPath(codexHome);
  checkOptions(options, CODEX_AUTH_STORE);
  const { beside, proof = "bearer", form } = options;
  const authority = parseAuthority(options.authority, options, "authority");
  const viewOf = (file: AuthFile | undefined, stored: Credentials) =>
    new CodexView(file, stored, { authority, proof, form, description: path });

  const load = async () => {
    const target = await resolveAuthFile(path);
    const file = target === undefined ? undefined : await loadAuthFile(target);
    return viewOf(file, await beside.load()).credentials;
  };
  const change = async (
    file: AuthFile | undefined,
    make: (current: Credentials) => Credentials | undefined,
    signal: AbortSignal | undefined,
  ): Promise<string | undefined> => {
    let text: string | undefined;
    // First, so that an identity that leaves `auth.json` is kept before it does, and a new one is known even if that is not written.
    await beside.update(
      (stored) => {
        text = undefined;
        const view = viewOf(file, stored);
        const next = make(view.credentials);
        if (next === undefined) return undefined;
        const planned = view.change(next);
        text = planned.text;
        return planned.beside;
      },
      { signal },
    );
    return text;
  };

  return {
    description: path,
    load,
    async update(make, { signal } = {}) {
      const target = await resolveAuthFile(path);
      if (target === undefined) {
        await change(undefined, make, signal);
        return await load();
      }
      await updateAuthFile(target, (file) => change(file, make, signal), signal);
      return await load();
    },
    withLock: (name, run, lockOptions) => beside.withLock(name, run, lockOptions),
  };
}
