import type { StoredIdentity } from "@countersign/agent-identity";
import {
  type AuthFile,
  authPath,
  formatAuthFile,
  identityText,
  prepareAuthFile,
} from "./auth-file.js";
import { formatCodexIdentity, parseCodexIdentity } from "./codex-identity.js";
import { splitJsonMembers } from "./json-text.js";
import { updateAuthFile } from "./update-auth-file.js";

const AGENT_LOGIN = '{"auth_mode":"agentIdentity","OPENAI_API_KEY":null}';

/**
 * Writes an agent into `auth.json` of a Codex home where no human is logged in, so that Codex 0.150 and newer works as that agent without any
 * token of a human. The file and the folder are made if they do not exist.
 *
 * @param codexHome - absolute, or begins with `~/`
 * @param identity - registered; in place of the same agent, whose other members, the task among them, stay as they are written
 * @returns whether it is there; `false`: the file holds a login, an API key or another agent, and nothing was changed
 * @throws {StoreError} `config_invalid` if `codexHome` is a relative path; `store_denied`; `store_corrupt` if the file is not a JSON
 *   object; `store_locked`
 */
export async function saveCodexAgent(
  codexHome: string,
  identity: StoredIdentity,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<boolean> {
  const path = authPath(codexHome);
  const target = await prepareAuthFile(path);
  let isSaved = false;
  await updateAuthFile(
    target,
    (file) => {
      isSaved = file === undefined || isFree(file, identity);
      if (!isSaved) return undefined;
      const members = splitJsonMembers(AGENT_LOGIN);
      const before = file && identityText(file);
      const text = formatCodexIdentity(identity, "C", before === "null" ? undefined : before);
      return text === before ? undefined : formatAuthFile({ members }, text);
    },
    signal,
  );
  return isSaved;
}

function isFree({ value }: AuthFile, identity: StoredIdentity): boolean {
  const { auth_mode, OPENAI_API_KEY, tokens, last_refresh: _, agent_identity, ...others } = value;
  const isMode = auth_mode === undefined || auth_mode === null || auth_mode === "agentIdentity";
  const credentials = [OPENAI_API_KEY, tokens, ...Object.values(others)];
  if (!isMode || credentials.some((member) => member !== undefined && member !== null)) {
    return false;
  }
  const found = parseCodexIdentity(agent_identity, "", "C");
  if (found.kind !== "own") return false;
  return found.entry === undefined || found.entry.agent_runtime_id === identity.agent_runtime_id;
}
