import type { AssertionVerifier } from "../verify/create-verifier.js";
import type { AssertionPolicy } from "../verify/verified-assertion.js";

/** What every middleware takes; `R` is the framework's request. */
export interface MiddlewareOptions<R> {
  readonly verifier: AssertionVerifier;
  /** What this route allows beyond what the verifier does. Default: the same. */
  readonly policy?: AssertionPolicy | undefined;
  /**
   * Gives the client's address, by which lookups of agents that are not known yet are shared out. Default: the address that the framework
   * gives (Express and Fastify: `request.ip`), else the other end of the connection. Behind a reverse proxy of a Node server set it, or all
   * clients are one.
   */
  readonly clientAddress?: ((request: R) => string | undefined) | undefined;
  /**
   * Hears why nobody could tell who the caller is: the directory or the replay store did not answer, or the body was read too early. The
   * caller gets 503 without the reason. Not called for rejections, which are the caller's doing.
   */
  readonly onError?: ((error: unknown, request: R) => void) | undefined;
}
