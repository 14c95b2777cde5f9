import { CountersignError } from "@countersign/agent-key";
import { errnoOf } from "@countersign/agent-key/platform-fetch";
import { CliError } from "../text/cli-error.js";

/** Words the failure of `fetch`, which hides its reason in causes; our own errors pass as they are. */
export function toTransportError(error: unknown, origin: string, signal: AbortSignal): unknown {
  if (CountersignError.is(error)) return error;
  if (signal.aborted) return new CliError("cancelled", "interrupted", { cause: error });
  const reason = errnoOf(error);
  if (reason === undefined) return toFetchError(error, origin);
  const timedOut = reason.includes("TIMEOUT") || reason === "ETIMEDOUT";
  return new CliError(
    timedOut ? "timeout" : "unreachable",
    `${origin} ${timedOut ? "did not answer in time" : "cannot be reached"}: ${reason}`,
    { cause: error, retryable: true, hint: "check the URL and that its server runs" },
  );
}

// What fetch itself refuses comes without a code: the ports of its standard that no request goes to, an answer that breaks HTTP.
function toFetchError(error: unknown, origin: string): unknown {
  if (!(error instanceof TypeError) || !(error.cause instanceof Error)) return error;
  const { message } = error.cause;
  if (message === "bad port") {
    const what = `${origin} cannot be reached: no request is sent to a port of another protocol`;
    return new CliError("unreachable", what, {
      cause: error,
      hint: "serve it on another port; https://fetch.spec.whatwg.org/#port-blocking lists those",
    });
  }
  return new CliError("bad_response", `${origin} did not answer in HTTP: ${message}`, {
    cause: error,
    hint: "check the URL",
  });
}
