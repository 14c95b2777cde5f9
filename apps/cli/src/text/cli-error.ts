import type { CountersignErrorOptions } from "@countersign/agent-key";
import { type Code, CountersignError } from "@countersign/agent-key";

/** Options of {@link CliError}. */
export interface CliErrorOptions extends CountersignErrorOptions {
  /** The exit code, where the code alone would say another. */
  readonly exitCode?: number | undefined;
  /** Whether stdout already holds the command's document, so that `--json` adds none. Default false. */
  readonly resultPrinted?: boolean | undefined;
}

/**
 * What the command line itself has to say: wrong usage, wrong configuration, nothing to work with.
 *
 * Any code of the protocol; see `exitCodeOf` for what it exits with.
 */
export class CliError extends CountersignError {
  static override readonly brandName: string = "CliError";

  /** The exit code, where the code alone would say another. */
  readonly exitCode: number | undefined;
  /** Whether stdout already holds the command's document. */
  readonly resultPrinted: boolean;

  constructor(code: Code, message: string, options: CliErrorOptions = {}) {
    super(code, message, options);
    this.exitCode = options.exitCode;
    this.resultPrinted = options.resultPrinted ?? false;
  }
}

/** Makes the error of a wrong argument or option. */
export function usageError(message: string, hint = "add --help to see how it is used"): CliError {
  return new CliError("usage", message, { hint });
}
