import { setFlagsFromString } from "node:v8";

/**
 * Keeps V8's young generation at the size it starts with, for a process that only passes bodies on: what it allocates for a body dies
 * young, and a larger young generation merely lets more of it wait.
 *
 * To be called before anything large is loaded: it does not shrink what has grown.
 */
export function keepYoungGenerationSmall(): void {
  setFlagsFromString("--semi-space-growth-factor=1");
}
