import type { AgentRecord } from "@countersign/agent-assertion";
import { CountersignError, isLoopbackHost } from "@countersign/agent-key";
import type { Run } from "../config/run.js";

/** What the authority's directory says of an agent. `untold`: it answers to a token of role `resource_server` alone. */
export type DirectoryWord =
  | { readonly kind: "known"; readonly record: AgentRecord }
  | { readonly kind: "unknown" }
  | { readonly kind: "untold" };

/**
 * Tells whether an authority's directory may answer without a credential: on loopback alone (protocol §5.8). Elsewhere the question would only leave a
 * refusal in its audit log.
 */
export function mayTellAnyone(authority: string): boolean {
  return isLoopbackHost(new URL(authority).hostname);
}

/**
 * Asks an authority's directory for an agent and its keys, the newest first, without a credential; it is not asked where it tells nothing without one.
 *
 * @throws {AgentAssertionError} if the authority cannot be reached or does not answer as one
 */
export async function askDirectory(
  { http, signal }: Run,
  authority: string,
  agentRuntimeId: string,
): Promise<DirectoryWord> {
  if (!mayTellAnyone(authority)) return { kind: "untold" };
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
