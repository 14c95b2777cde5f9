import { type Credential, parseOrigin } from "@countersign/agent-key";
import { AgentAssertionError } from "../agent-assertion-error.js";
import type { AssertionSigner } from "../sign/assertion-signer.js";

const TOKEN = /^[!-~]+$/;

/**
 * The `Authorization` field for a request to an origin that is sent now.
 *
 * @throws {AgentAssertionError} `unauthenticated` when the human's token may not go to that origin, or is none;
 * `invalid_request` when the credential holds an id that may not be signed
 */
export function authorizationField(
  credential: Credential,
  origin: string,
  signer: AssertionSigner,
): string {
  if (credential.kind === "agent") return signer.header(credential);
  const { accessToken, origins } = credential;
  if (origins !== undefined && !origins.some((named) => isOrigin(named, origin))) {
    throw new AgentAssertionError("unauthenticated", `the human's token may not go to ${origin}`, {
      hint: "name the origin among those of the fallback, or wait until the authority answers",
      retryable: credential.reason === "fallback",
    });
  }
  // Checked here, since the error of a header with a line break would show the token.
  if (!TOKEN.test(accessToken)) {
    throw new AgentAssertionError("unauthenticated", "the human's token has unusual characters", {
      hint: "log in again",
    });
  }
  return `Bearer ${accessToken}`;
}

// Compared as parsed origins; whether plain http is allowed was decided where the transport's origins were named.
function isOrigin(named: string, origin: string): boolean {
  return parseOrigin(named, { insecureHttp: true }) === origin;
}
