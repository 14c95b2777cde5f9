import { hideMembers, StoreError } from "@countersign/agent-key";
import { type AuthFile, authPath, loadAuthFile, resolveAuthFile } from "./auth-file.js";
import { parseCodexIdentity } from "./codex-identity.js";

/** An agent whose key is in `auth.json` of a Codex home. */
export interface CodexKeyedAgent {
  /** Which Codex wrote it, and reads it: `A` is 0.122 and 0.123, `C` is 0.150 and newer. */
  readonly generation: "A" | "C";
  readonly agentRuntimeId: string;
  readonly accountId: string;
  readonly userId: string;
  /** Secret. PKCS#8 DER, base64. Not checked. */
  readonly privateKey: string;
  /** The one task of all threads of this home (C). `undefined`: none is stored. Not checked. */
  readonly taskId: string | undefined;
}

/** What `agent_identity` of a Codex home holds. `B` is an identity JWT. */
export type CodexAgent = CodexKeyedAgent | { readonly generation: "B" };

/**
 * Reads the agent in `auth.json` of a Codex home and changes nothing.
 *
 * @param codexHome - absolute, or begins with `~/`
 * @returns `undefined`: there is no `auth.json`, or no agent in it
 * @throws {StoreError} `config_invalid` if `codexHome` is a relative path; `store_denied`; `store_corrupt` if the file is not a JSON
 *   object, or `agent_identity` has no form of any generation
 */
export async function loadCodexAgent(codexHome: string): Promise<CodexAgent | undefined> {
  const path = authPath(codexHome);
  const target = await resolveAuthFile(path);
  const file = target === undefined ? undefined : await loadAuthFile(target);
  return codexAgentOf(file, path);
}

/** The agent in an `auth.json` that was read. Throws `store_corrupt` if `agent_identity` has no form of any generation. */
export function codexAgentOf(file: AuthFile | undefined, path: string): CodexAgent | undefined {
  // The authority is the caller's to know; it is not a part of what is returned.
  const identity = parseCodexIdentity(file?.value.agent_identity, "");
  if (identity.kind === "token") return { generation: "B" };
  if (identity.kind === "unreadable") {
    throw new StoreError("store_corrupt", `${path}: ${identity.member.problem}`, {
      hint: "it may be of another Codex; nothing was changed",
    });
  }
  const { entry } = identity;
  if (entry?.agent_runtime_id === undefined || entry.private_key === undefined) return undefined;
  const agent: CodexKeyedAgent = {
    generation: identity.kind === "own" ? "A" : "C",
    agentRuntimeId: entry.agent_runtime_id,
    accountId: entry.account_id,
    userId: entry.user_id,
    privateKey: entry.private_key,
    taskId: identity.taskId,
  };
  return hideMembers(agent, "privateKey");
}
