import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Effort } from "./row.ts";
import type { RowMessage } from "./row-program.ts";
import type { RowResult } from "./row-result.ts";

const PROGRAM = fileURLToPath(import.meta.resolve("./row-program.ts"));
// How long an interrupted row may take to remove its servers and files.
const CLOSE_MS = 5_000;

/** What {@link runRow} is told. */
export interface RunRowOptions {
  readonly effort: Effort;
  readonly quick: boolean;
  readonly progress: (text: string) => void;
  readonly signal: AbortSignal;
}

/**
 * Measures a row in a process of its own.
 *
 * @returns `undefined` if the process was interrupted or ended without a result
 */
export async function runRow(name: string, options: RunRowOptions): Promise<RowResult | undefined> {
  const { effort, quick, progress, signal } = options;
  const argv = [name, JSON.stringify(effort), quick ? "quick" : "full"];
  // What a row prints belongs beside the progress: standard output is for the table.
  const child = fork(PROGRAM, argv, { stdio: ["ignore", 2, 2, "ipc"] });
  let killing: NodeJS.Timeout | undefined;
  const interrupt = (): void => {
    child.kill("SIGTERM");
    killing = setTimeout(() => child.kill("SIGKILL"), CLOSE_MS);
  };
  if (signal.aborted) interrupt();
  else signal.addEventListener("abort", interrupt, { once: true });
  let result: RowResult | undefined;
  child.on("message", (message: RowMessage) => {
    if ("result" in message) result = message.result;
    else progress(message.progress);
  });
  await new Promise<void>((resolve) => {
    child.once("error", () => resolve());
    child.once("close", () => resolve());
  });
  clearTimeout(killing);
  signal.removeEventListener("abort", interrupt);
  return signal.aborted ? undefined : result;
}
