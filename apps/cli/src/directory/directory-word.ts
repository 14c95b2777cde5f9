import type { AgentRecord } from "@countersign/agent-assertion";
import { CountersignError } from "@countersign/agent-key";
import type { Run } from "../config/run.js";

/** What the authority's directory says of an agent. `untold`: it answers to a token of role `resource_server` alone. */
export type DirectoryWord =
  | { readonly kind: "known"; readonly record: AgentRecord }
  | { readonly kind: "unknown" }
  | { readonly kind: "untold" };

/**
 * Asks an authority's directory for an agent and its keys, the newest first, without a credential.
 *
 * @throws {AgentAssertionError} if the authority cannot be reached or does not answer as one; {@link AgentKeyError} `config_invalid` if it is
 * plain http to another machine: anybody on the way could then answer
 */
export async function askDirectory(
  { http, signal }: Run,
  authority: string,
  agentRuntimeId: string,
): Promise<DirectoryWord> {
  const { remoteDirectory } = await import("@countersign/agent-assertion/remote-directory");
  const directory = remoteDirectory(authority, { revocationDelaySeconds: 0, ...http });
  try {
    const record = await directory.agent(agentRuntimeId, { signal });
    return record === undefined ? { kind: "unknown" } : { kind: "known", record };
  } catch (error) {
    const isClosed =
      CountersignError.is(error) &&
      (error.code === "unauthenticated" || error.code === "forbidden");
    if (isClosed) return { kind: "untold" };
    throw error;
  } finally {
    await directory.close?.();
  }
}
