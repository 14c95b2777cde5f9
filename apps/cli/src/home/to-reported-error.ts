import { CountersignError } from "@countersign/agent-key";
import { CliError } from "../text/cli-error.js";
import { isSystemError, reasonOf } from "./home.js";

/**
 * Turns whatever was thrown into an error that can be shown: ours as they are, the operating system's in words, anything else as
 * `internal`, without its stack.
 */
export function toReportedError(error: unknown, signal: AbortSignal): CountersignError {
  if (CountersignError.is(error)) return error;
  if (signal.aborted) return new CliError("cancelled", "interrupted", { cause: error });
  if (isSystemError(error, "EADDRINUSE")) {
    return new CliError("address_in_use", "the address to listen on is in use", {
      cause: error,
      hint: "choose another port with --listen, or port 0 for a free one",
    });
  }
  if (isSystemError(error, "EACCES") && error.syscall === "listen") {
    return new CliError("config_invalid", "this user may not listen on that address", {
      cause: error,
      hint: "choose a port above 1023 with --listen",
    });
  }
  if (isSystemError(error, "EADDRNOTAVAIL") || isSystemError(error, "ENOTFOUND")) {
    return new CliError("config_invalid", "that address is not one of this machine", {
      cause: error,
      hint: "choose another with --listen",
    });
  }
  if (isSystemError(error)) {
    const where = error.path === undefined ? "" : `${error.path}: `;
    return new CliError("store_denied", `${where}${reasonOf(error)}`, { cause: error });
  }
  const what = error instanceof Error ? error.message : String(error);
  return new CliError("internal", `unexpected: ${what.slice(0, 512)}`, {
    cause: error,
    hint: "this is a defect of countersign; please report the command and this line",
  });
}
