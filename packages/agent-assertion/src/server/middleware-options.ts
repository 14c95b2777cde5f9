import type { AssertionHooks } from "../verify/assertion-hooks.js";
import type { AssertionVerifier } from "../verify/create-verifier.js";
import type { AssertionPolicy } from "../verify/verified-assertion.js";

/** What a middleware does with a request without an assertion. */
export type OnMissing = "refuse" | "pass";

/** What every middleware takes; `R` is the framework's request, which the hooks get too. */
export interface MiddlewareOptions<R> extends AssertionHooks<[request: R]> {
  readonly verifier: AssertionVerifier;
  /** What this route allows beyond what the verifier does. Default: the same. */
  readonly policy?: AssertionPolicy | undefined;
  /**
   * What becomes of a request without an assertion: with no `Authorization`, or with another scheme alone, as a human's is. `refuse`: 401 `missing`.
   * `pass`: the handler gets it without an agent, and must check its caller by other means. A wrong assertion is always refused. Default `refuse`.
   */
  readonly onMissing?: OnMissing | undefined;
  /**
   * Returns the client's address, by which lookups of agents that are not known yet are shared out. Default: the address that the framework
   * gives (`ip` of Express, Fastify, Koa and Nest), otherwise the other end of the connection. Set it if a Node server is behind a reverse proxy;
   * otherwise all clients count as one.
   */
  readonly clientAddress?: ((request: R) => string | undefined) | undefined;
  /**
   * Called when the check could not be made: the directory or the replay store did not answer, or the body was read before the check. The
   * caller gets 503 without the reason. Not called for rejections, which are the caller's fault. The request holds its assertion: log the
   * error alone. Default: a process warning, once for each message; Fastify: the request's log.
   */
  readonly onError?: ((error: unknown, request: R) => void) | undefined;
}
