import type { AssertionSigner } from "@countersign/agent-assertion/sign";
import { CountersignError, type Credential, parseOrigin } from "@countersign/agent-key";
import { RequestRefusal } from "./request-refusal.js";

const TOKEN = /^[!-~]+$/;
const RETRY_AFTER_SECONDS = 5;

/**
 * The `Authorization` field of a request that is sent to an origin now.
 *
 * @throws {RequestRefusal} `unauthenticated` when the credential is a human's token that may not go there, or is none
 * @throws {AgentAssertionError} `invalid_request` when the credential holds an id that may not be signed
 */
export function authorizationFor(
  credential: Credential,
  origin: string,
  signer: AssertionSigner,
): string {
  if (credential.kind === "agent") return signer.header(credential);
  const { accessToken, origins } = credential;
  if (origins !== undefined && !origins.some((named) => isOrigin(named, origin))) {
    throw new RequestRefusal("unauthenticated", `the human's token may not go to ${origin}`);
  }
  // Checked here, since the error of a header with a line break would show the token.
  if (!TOKEN.test(accessToken)) {
    throw new RequestRefusal("unauthenticated", "the human's token has unusual characters");
  }
  return `Bearer ${accessToken}`;
}

/** Turns what kept a source from giving a credential into the answer of the request. Only errors made on purpose speak. */
export function refusalOfSource(error: unknown): RequestRefusal {
  if (RequestRefusal.is(error)) return error;
  if (!CountersignError.is(error)) {
    return new RequestRefusal("server_error", "the request cannot be signed now", { cause: error });
  }
  const { code, message, hint, retryable } = error;
  return new RequestRefusal(code, hint === undefined ? message : `${message}; ${hint}`, {
    cause: error,
    // Nobody to act for: as with a refused login, and unlike a fault, trying again does not help.
    ...(code === "not_logged_in" || code === "no_identity" ? { status: 401 } : {}),
    ...(retryable ? { retryAfterSeconds: RETRY_AFTER_SECONDS } : {}),
  });
}

// Compared as parsed origins; whether plain http is allowed was decided where the upstream was named.
function isOrigin(named: string, origin: string): boolean {
  return parseOrigin(named, { insecureHttp: true }) === origin;
}
