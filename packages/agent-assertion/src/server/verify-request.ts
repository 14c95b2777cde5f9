import type { IncomingMessage } from "node:http";
import type { AssertionVerifier } from "../verify/create-verifier.js";
import type { VerifiedAssertion } from "../verify/verified-assertion.js";
import { sourceOf } from "./client-address.js";
import { authorizationLines } from "./field-lines.js";
import { type FactsOptions, factsOf } from "./node-request.js";

/** What checks on Node's requests take where something else may read bodies first. */
export interface RawBodyOption {
  /**
   * Gives the exact bytes of a body that something read before the check, as serverless platforms do. Default: the body is read from the
   * request, and put back.
   */
  readonly rawBody?: ((request: IncomingMessage) => Uint8Array | undefined) | undefined;
}

/** Options of {@link verifyRequest}. */
export interface VerifyRequestOptions extends RawBodyOption {
  readonly verifier: AssertionVerifier;
  /**
   * The client's address, by which lookups of agents that are not known yet are shared out. Default: the other end of the connection. Set it
   * behind a reverse proxy, or all clients are one.
   */
  readonly clientAddress?: string | undefined;
  /** Gives up waiting for the directory or the body. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Verifies the assertion of one of Node's requests; also of an upgrade.
 *
 * `Authorization` is counted on the lines as they came: two of them are `malformed`. A bound request is compared with its target as it
 * stood in the request line (`originalUrl` where a router took a prefix off) and, if it has a body, with that: the body is then read
 * whole, up to the verifier's `maxBodyBytes`, and put back for the next reader.
 *
 * @throws {AssertionRejected} with the code of the first check that fails
 * @throws {UnreadableBody} when a bound request's body cannot be read whole
 * @throws {CountersignError} of another kind if the check could not be made: the directory or the replay store did not answer
 * @see protocol.md §7, §8
 */
export async function verifyRequest(
  request: IncomingMessage,
  options: VerifyRequestOptions,
): Promise<VerifiedAssertion> {
  return verifyNodeRequest(request, options);
}

/** As {@link verifyRequest}, for a framework that keeps the request's target itself. */
export async function verifyNodeRequest(
  request: IncomingMessage,
  options: VerifyRequestOptions & Pick<FactsOptions, "target">,
): Promise<VerifiedAssertion> {
  const { verifier, signal, clientAddress = request.socket?.remoteAddress } = options;
  const authorization = authorizationLines(request);
  const bound = verifier.binding === undefined ? {} : { request: factsOf(request, options) };
  const source = sourceOf(clientAddress);
  return verifier.verify(authorization, { signal, source, ...bound });
}
