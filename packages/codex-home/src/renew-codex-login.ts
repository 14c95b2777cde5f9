import {
  type AuthFile,
  authPath,
  formatAuthFile,
  identityText,
  loadReplacedAuthFile,
  prepareAuthFile,
} from "./auth-file.js";
import { splitJsonMembers } from "./json-text.js";
import { type CodexAgent, codexAgentOf } from "./load-codex-agent.js";
import { changeAuthFile, type MakeAuthText, withAuthFileLock } from "./update-auth-file.js";

const LOGGED_OUT = splitJsonMembers('{"OPENAI_API_KEY":null,"tokens":null}');

/** What stands in `auth.json` of a Codex home before its login is renewed. */
export interface FoundCodexAuth {
  /** `undefined`: there is no agent in it. */
  readonly agent: CodexAgent | undefined;
}

/** What is to become of a Codex home. */
export interface CodexLoginDecision {
  /** Whether the agent that stands there stays. */
  readonly keepsAgent: boolean;
  /**
   * Changes where Codex sends its login, such as its `config.toml`. It runs while no login is in `auth.json`, so that neither the old login meets the new
   * destination nor the new one the old. `undefined`: the destination stays as it is.
   */
  readonly moveDestination?: (() => Promise<void>) | undefined;
}

/** A new login of a Codex home. */
export interface CodexLoginRenewal {
  /** JSON text of an object, without `agent_identity`. */
  readonly login: string;
  /**
   * Decides under the lock of `auth.json`, and again if the file changed; what it throws leaves the agent as it is.
   *
   * @param found - `undefined`: there is no `auth.json`
   */
  decide(found: FoundCodexAuth | undefined): Promise<CodexLoginDecision>;
}

/**
 * Replaces all of `auth.json` of a Codex home but its `agent_identity`, which stays as it is written or goes, as the caller decides. Makes the file
 * and its folder if they do not exist. A text that is not a JSON object holds no agent and is replaced.
 *
 * If the destination changes, the old login goes first, then the destination changes, then the new login comes: cut off in between, the home is
 * without a login.
 *
 * @param codexHome - absolute, or begins with `~/`
 * @throws {StoreError} `config_invalid` if `codexHome` is a relative path; `store_denied`; `store_corrupt` if `agent_identity` has no
 *   form of any generation; `store_locked`; what `decide` and `moveDestination` throw
 */
export async function renewCodexLogin(
  codexHome: string,
  { login, decide }: CodexLoginRenewal,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<void> {
  const path = authPath(codexHome);
  const target = await prepareAuthFile(path);
  const members = splitJsonMembers(login);
  const look = async (file: AuthFile | undefined) => {
    const found = file && { agent: codexAgentOf(file, path) };
    const { keepsAgent, moveDestination } = await decide(found);
    const identity = keepsAgent && file !== undefined ? identityText(file) : undefined;
    return { identity, moveDestination };
  };
  const renew = async (change: (make: MakeAuthText) => Promise<void>) => {
    let move: CodexLoginDecision["moveDestination"];
    await change(async (file) => {
      const { identity, moveDestination } = await look(file);
      move = moveDestination;
      if (move === undefined) return formatAuthFile({ members }, identity);
      return file && formatAuthFile({ members: LOGGED_OUT }, identity);
    });
    if (move === undefined) return;
    await move();
    let refusal: { readonly cause: unknown } | undefined;
    await change(async (file) => {
      refusal = undefined;
      try {
        return formatAuthFile({ members }, (await look(file)).identity);
      } catch (cause) {
        // Codex put something back in the meantime: its agent stays, and its login must not meet the new destination.
        refusal = { cause };
        return file && formatAuthFile({ members: LOGGED_OUT }, identityText(file));
      }
    });
    if (refusal !== undefined) throw refusal.cause;
  };
  const load = () => loadReplacedAuthFile(target);
  await withAuthFileLock(
    target,
    (lock) => renew((make) => changeAuthFile(target, lock, load, make)),
    signal,
  );
}
