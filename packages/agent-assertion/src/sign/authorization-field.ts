import { parseOrigin } from "@countersign/agent-key";
import { AgentAssertionError } from "../agent-assertion-error.js";
import type { AssertionSigner } from "./assertion-signer.js";
import type { ReadyCredential } from "./ready-credential.js";

const TOKEN = /^[!-~]+$/;

/**
 * The `Authorization` field for a request to an origin that is sent now. The one rule for where a human's token goes: to the origins that
 * its credential names, and to no other.
 *
 * @param origin - scheme, host and port, as `parseOrigin` returns them
 * @returns `undefined`: the feature is off and the origin gets no token; the request goes out as its caller made it
 * @throws {AgentAssertionError} `unauthenticated` if the human's token has characters that no header may hold;
 * `invalid_request` if the credential holds an id that may not be signed
 * @throws {Error} the registration's own error if the credential is a fallback that does not name the origin
 */
export function authorizationField(
  credential: ReadyCredential,
  origin: string,
  signer: AssertionSigner,
): string | undefined {
  if (credential.kind === "agent") return signer.header(credential);
  if (credential.kind === "none") return undefined;
  if (!credential.origins.some((named) => isOrigin(named, origin))) {
    if (credential.reason === "feature_off") return undefined;
    // A request that should have been signed is not sent unsigned because the authority is away.
    throw credential.error ?? noFallback(origin);
  }
  // Checked here, since the error of a header with a line break would show the token. A copy by spread has no token at all.
  if (typeof credential.accessToken !== "string" || !TOKEN.test(credential.accessToken)) {
    throw new AgentAssertionError(
      "unauthenticated",
      "the human's token is missing or has unusual characters",
      {
        hint: "log in again; a copy of a credential needs its accessToken by name",
      },
    );
  }
  return `Bearer ${credential.accessToken}`;
}

function noFallback(origin: string): AgentAssertionError {
  return new AgentAssertionError("unauthenticated", `the human's token may not go to ${origin}`, {
    hint: "name the origin among those of the fallback, or wait until the authority answers",
    retryable: true,
  });
}

// Compared as parsed origins; whether plain http is allowed was decided where the origins were named.
function isOrigin(named: string, origin: string): boolean {
  return parseOrigin(named, { insecureHttp: true }) === origin;
}
