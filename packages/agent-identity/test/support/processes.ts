import type { TestProcess } from "@countersign/testing";
import { sourceCommand, startSource } from "@countersign/testing/vitest";

const locate = (program: string) => new URL(`../processes/${program}`, import.meta.url);

/** The command line that runs a program of `test/processes` on this package's source. */
export const commandOf = (program: string, ...args: readonly string[]): readonly string[] =>
  sourceCommand(locate(program), ...args);

/** Starts a program of `test/processes`; it ends with the test. */
export const startProgram = (program: string, ...args: readonly string[]): Promise<TestProcess> =>
  startSource(locate(program), ...args);
