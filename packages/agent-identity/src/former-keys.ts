import { AgentKey, AgentPublicKey } from "@countersign/agent-key";
import type { StoredIdentity } from "./schema/credentials.js";
import { guardIdentity } from "./store/guard-credentials.js";

const MAX_FORMER_KEYS = 16;

/**
 * Notes that the key of a stored identity has replaced another key of the same agent. The latest 16 are kept.
 *
 * @param publicLine - the OpenSSH line of the key that was replaced
 */
export function withFormerKey(entry: StoredIdentity, publicLine: string): StoredIdentity {
  const others = (entry.former_public_keys ?? []).filter((line) => line !== publicLine);
  const former_public_keys = [...others, publicLine].slice(-MAX_FORMER_KEYS);
  return guardIdentity({ ...entry, former_public_keys });
}

/**
 * Whether the key of a stored identity is known to have replaced another key. An authority never accepts a key a second time, so the other
 * key is not the agent's newest key and cannot become it.
 *
 * @param publicLine - the OpenSSH line of the other key
 * @returns `false` also if nothing is known of it
 */
export function isFormerKey(entry: StoredIdentity, publicLine: string): boolean {
  return entry.former_public_keys?.includes(publicLine) === true;
}

/** The OpenSSH line of a stored key; `undefined`: it is not a key. */
export function publicLineOf({
  private_key,
  public_key,
}: Pick<StoredIdentity, "private_key" | "public_key">): string | undefined {
  try {
    return private_key === undefined
      ? AgentPublicKey.parse(public_key ?? "").line
      : AgentKey.importPkcs8(private_key).publicKey.line;
  } catch {
    // The caller says what that means; the key itself is not repeated.
    return undefined;
  }
}
