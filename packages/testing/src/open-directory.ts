import { onTestFinished } from "vitest";
import { temporaryDirectory } from "./temporary-directory.js";

/** The path of a temporary folder that goes away with the test. */
export async function openDirectory(): Promise<string> {
  const directory = await temporaryDirectory();
  onTestFinished(() => directory.remove());
  return directory.path;
}
