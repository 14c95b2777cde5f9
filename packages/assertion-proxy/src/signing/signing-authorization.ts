import type { AssertionSigner } from "@countersign/agent-assertion/sign";
import { authorizationFieldAsync } from "@countersign/agent-assertion/sign-async";
import { CountersignError, type Credential } from "@countersign/agent-key";
import { RequestRefusal } from "../refusal/request-refusal.js";

const RETRY_AFTER_SECONDS = 5;

/**
 * The `Authorization` field of a request that is sent to an origin now.
 *
 * @throws {RequestRefusal} `no_identity` if the feature is off and the human's token may not go to the origin: a client's own field is the
 * client token, so that there is no request as the client made it
 * @throws {Error} as `authorizationFieldAsync`
 */
export async function authorizationFor(
  credential: Credential,
  origin: string,
  signer: AssertionSigner,
  signal: AbortSignal,
): Promise<string> {
  const field = await authorizationFieldAsync(credential, origin, signer, { signal });
  if (field !== undefined) return field;
  throw new RequestRefusal(
    "no_identity",
    `the feature use_agent_identity is off; enable it, or name ${origin} as a bearer origin`,
    { status: 401 },
  );
}

/** Turns an error of a credential source into the answer of the request. The message of an unexpected error is not shown. */
export function refusalOfSource(error: unknown): RequestRefusal {
  if (RequestRefusal.is(error)) return error;
  if (!CountersignError.is(error)) {
    return new RequestRefusal("server_error", "the request cannot be signed now", { cause: error });
  }
  const { code, message, hint, retryable } = error;
  return new RequestRefusal(code, hint === undefined ? message : `${message}; ${hint}`, {
    cause: error,
    // There is no login or no agent to act for. As after a refused login, and unlike after a fault, trying again does not help.
    ...(code === "not_logged_in" || code === "no_identity" ? { status: 401 } : {}),
    ...(retryable ? { retryAfterSeconds: RETRY_AFTER_SECONDS } : {}),
  });
}
