import { setFlagsFromString } from "node:v8";

/**
 * Keeps V8's semi-space, where new objects live, at the size that it starts with, for a process that only passes bodies on: what it allocates for a
 * body is soon unused, and a larger semi-space only lets more of it wait.
 *
 * To be called before anything large is loaded: it does not shrink what has grown.
 */
export function keepSemiSpaceSmall(): void {
  setFlagsFromString("--semi-space-growth-factor=1");
}
