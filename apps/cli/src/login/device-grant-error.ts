import { CountersignError } from "@countersign/agent-key";
import { ClientError, ResponseBodyError } from "openid-client";
import { CliError } from "../text/cli-error.js";

const OAUTH_ERROR = /^[\w.-]{1,64}$/;

/** Says in this project's codes what went wrong with an issuer. Nothing that an issuer wrote is repeated but a plain error code. */
export function deviceGrantError(
  error: unknown,
  issuer: string,
  signal: AbortSignal,
): CountersignError {
  if (CountersignError.is(error)) return error;
  if (signal.aborted) return new CliError("cancelled", "interrupted", { cause: error });
  const own = findOwn(error);
  if (own !== undefined) return own;
  if (error instanceof ResponseBodyError) return refusal(error, issuer);
  if (isTimeout(error)) {
    return new CliError("timeout", `${issuer} does not answer in time`, {
      cause: error,
      retryable: true,
    });
  }
  // What `fetch` throws without an answer is a TypeError whose cause says more.
  if (error instanceof TypeError && error.cause !== undefined) {
    return new CliError("unreachable", `${issuer} cannot be reached`, {
      cause: error,
      retryable: true,
    });
  }
  return new CliError("bad_response", `${issuer} does not answer as an issuer`, {
    cause: error,
    hint: "check --issuer: it is the URL below which /.well-known/openid-configuration is",
  });
}

/** The error of a code that was not confirmed before it expired. */
export function expiredCodeError(issuer: string, cause: unknown): CliError {
  return new CliError("timeout", `the code of ${issuer} was not confirmed in time`, {
    cause,
    hint: "run the command again, and confirm its code before it expires",
  });
}

function refusal(error: ResponseBodyError, issuer: string): CliError {
  if (error.error === "expired_token") return expiredCodeError(issuer, error);
  const isDenied = error.error === "access_denied";
  const code = OAUTH_ERROR.test(error.error) ? error.error : "an error";
  return new CliError(
    "refused",
    isDenied ? "the login was denied" : `${issuer} refused the login: ${code}`,
    {
      cause: error,
      hint: isDenied
        ? "run the command again, and confirm its code"
        : "check --client-id, --scope, --audience and --resource with the operator of the issuer",
    },
  );
}

function isTimeout(error: unknown): boolean {
  return error instanceof ClientError && error.code === "OAUTH_TIMEOUT";
}

// The client of issuers wraps what its fetch throws.
function findOwn(error: unknown): CountersignError | undefined {
  let current = error;
  for (let depth = 0; depth < 5 && current instanceof Error; depth += 1) {
    current = current.cause;
    if (CountersignError.is(current)) return current;
  }
  return undefined;
}
