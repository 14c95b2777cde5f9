import { CommanderError } from "commander";
import { toReportedError } from "./home/to-reported-error.js";
import { onEndingSignal } from "./process/ending-signals.js";
import { createProgram } from "./program.js";
import { CliError, usageError } from "./text/cli-error.js";
import { exitCodeOf } from "./text/exit-code.js";
import { createOutput } from "./text/output.js";
import { readVersion } from "./version.js";

/**
 * Runs one command line.
 *
 * @param args - the arguments after the program's name
 * @returns the exit code; see `exitCodeOf`
 */
export async function main(args: readonly string[]): Promise<number> {
  const cancelling = new AbortController();
  onEndingSignal(() => {
    // A second signal ends the program at once: the user does not want to wait.
    if (cancelling.signal.aborted) process.exit(1);
    cancelling.abort();
  });
  endQuietlyOnClosedPipe();
  // `--json` decides the form of an error even if the rest of the line cannot be parsed.
  const { stdout, stderr } = process;
  const output = createOutput({ json: ownArguments(args).includes("--json"), stdout, stderr });
  // An error that no code catches is printed in the same form, never as a stack trace.
  process.on("uncaughtException", (error) => {
    const reported = toReportedError(error, cancelling.signal);
    output.error(reported, false);
    process.exit(exitCodeOf(reported));
  });
  let asked = "";
  try {
    let exitCode = 0;
    const program = createProgram(
      cancelling.signal,
      (code) => {
        exitCode = code;
      },
      (text) => {
        asked += text;
      },
    );
    await program.parseAsync(args, { from: "user" });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) {
      // The version, or help: it comes in pieces.
      const text = asked.trimEnd();
      output.result(text === readVersion() ? { version: text } : { help: text }, () => text);
      return 0;
    }
    const reported =
      error instanceof CommanderError
        ? toUsageError(error)
        : toReportedError(error, cancelling.signal);
    output.error(reported, CliError.is(reported) && reported.resultPrinted);
    return exitCodeOf(reported);
  }
}

// What stands behind `--` may be another program's.
function ownArguments(args: readonly string[]): readonly string[] {
  const end = args.indexOf("--");
  return end < 0 ? args : args.slice(0, end);
}

function toUsageError(error: CommanderError) {
  if (error.code === "commander.help") {
    return usageError("a command is missing", "the commands are listed above");
  }
  const [what = "", suggestion] = error.message.replace(/^error: /, "").split("\n");
  return usageError(what, suggestion?.replace(/^\((.*)\)$/, "$1"));
}

// The reader of a pipe may have enough (`| head`): that is its right and no error of ours.
function endQuietlyOnClosedPipe(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EPIPE") process.exit();
      throw error;
    });
  }
}
