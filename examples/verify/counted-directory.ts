import type { AgentDirectory } from "@countersign/agent-assertion";
import { remoteDirectory } from "@countersign/agent-assertion/remote-directory";

export function createDirectory(
  authority: string,
  count: (name: string, milliseconds: number) => void,
): AgentDirectory {
  return remoteDirectory(authority, {
    onLookup: ({ about, outcome, durationMs }) => count(`${about} ${outcome}`, durationMs),
  });
}
