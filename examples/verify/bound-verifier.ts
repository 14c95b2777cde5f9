import {
  type AssertionVerifier,
  createVerifier,
  memoryReplayStore,
} from "@countersign/agent-assertion";
import { remoteDirectory } from "@countersign/agent-assertion/remote-directory";

export function createBoundVerifier(authority: string, publicUrl: string): AssertionVerifier {
  return createVerifier({
    directory: remoteDirectory(authority),
    binding: { policy: "require", publicUrl, replayStore: memoryReplayStore() },
  });
}
