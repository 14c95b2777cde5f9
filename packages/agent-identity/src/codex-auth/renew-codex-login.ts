import { authPath, formatAuthFile, identityText, resolveAuthFile } from "./auth-file.js";
import { splitJsonMembers } from "./json-text.js";
import { updateAuthFile } from "./update-auth-file.js";

/**
 * Replaces all of `auth.json` of a Codex home but its `agent_identity`, which stays as it is written.
 *
 * @param codexHome - absolute, or begins with `~/`
 * @param login - JSON text of an object, without `agent_identity`
 * @returns whether it was replaced; `false`: there is no `auth.json`
 * @throws {CredentialStoreError} `config_invalid` if `codexHome` is a relative path; `store_denied`; `store_corrupt` if the file is not a JSON
 *   object; `store_locked`
 */
export async function renewCodexLogin(
  codexHome: string,
  login: string,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<boolean> {
  const target = await resolveAuthFile(authPath(codexHome));
  if (target === undefined) return false;
  const members = splitJsonMembers(login);
  await updateAuthFile(
    target,
    (file) => formatAuthFile({ members }, file && identityText(file)),
    signal,
  );
  return true;
}
