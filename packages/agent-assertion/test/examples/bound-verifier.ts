import { type AssertionVerifier, createVerifier, memoryReplayStore } from "../../src/index.js";
import { remoteDirectory } from "../../src/remote-directory.js";

export function createBoundVerifier(authority: string, publicUrl: string): AssertionVerifier {
  return createVerifier({
    directory: remoteDirectory(authority),
    binding: { policy: "require", publicUrl, replayStore: memoryReplayStore() },
  });
}
