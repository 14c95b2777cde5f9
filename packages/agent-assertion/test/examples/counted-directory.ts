import type { AgentDirectory } from "../../src/index.js";
import { remoteDirectory } from "../../src/remote-directory.js";

export function createDirectory(
  authority: string,
  count: (name: string, milliseconds: number) => void,
): AgentDirectory {
  return remoteDirectory(authority, {
    onLookup: ({ about, outcome, durationMs }) => count(`${about} ${outcome}`, durationMs),
  });
}
