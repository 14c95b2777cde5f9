import type { CredentialSource } from "@countersign/agent-key";
import { type AssertedFetch, assertedFetch } from "./asserted-fetch.js";
import type { AssertionOptions } from "./assertion-options.js";
import { createAuthorizer } from "./authorizer.js";
import { checkChoice, checkFunction } from "./check-transport.js";
import { answerToRefusal } from "./refusal-of.js";
import { requestBinder } from "./request-binder.js";

type Fetch = typeof globalThis.fetch;

/** Options of {@link withAssertion}. */
export interface WithAssertionOptions extends AssertionOptions {
  /**
   * How a refusal that no repetition changes reaches the caller, for instance that the agent was revoked.
   *
   * - `"reject"`, the default: the call rejects with the error. Many SDKs take it for a failed connection, and try again.
   * - `"respond"`: the call resolves to a `Response` that is made here: status 403, problem+json with the error's code, and
   *   `x-should-retry: false`. `refusalOf` knows it, and the SDK's error that keeps it or its headers.
   *
   * Errors that are `retryable`, aborts and failed connections always reject. A server's own 401 or 403 is handed up as it is.
   */
  readonly refusals?: "reject" | "respond" | undefined;
}

/**
 * Makes a `fetch` that signs the requests to the named origins, each when it is sent.
 *
 * A caller's own `Authorization` and key fields are replaced at the named URLs; `ownAuthorization` and `keepFields` decide otherwise. While
 * the feature is off the request is handed to `fetch` as its caller made it, unless the human's token may go to the origin.
 *
 * On 401 the source is told, and the request is sent once more if the source gives another credential and the body can be sent again: a
 * text, bytes, a Blob, a form, a function that makes a stream, but no stream and no `Request` that has a body. Redirects are followed as
 * `fetch` does: from one named URL to another they are signed again; from the first that leads elsewhere on, none of them carries a
 * credential, of the agent or of the caller.
 *
 * The returned `fetch` rejects with the source's error when there is no credential: nothing is sent without one. With `binding` it rejects
 * with an {@link AgentAssertionError} `invalid_request` when the body is a stream; and with the reason of `signal` once that ended the call,
 * also while it waits for a credential. `refusalOf` finds such an error in what an SDK makes of it; see `refusals` for SDKs that hide it.
 *
 * @throws {AgentKeyError} `config_invalid` if an origin is not valid, or is plain http to another machine
 * @throws {AgentAssertionError} `config_invalid` if an argument, an option or a pattern is not valid
 * @see protocol.md §10
 */
export function withAssertion(
  fetch: Fetch,
  source: CredentialSource,
  options: WithAssertionOptions,
): AssertedFetch {
  checkFunction("fetch", fetch, "give the arguments in the order fetch, source, options");
  const authorizer = createAuthorizer(source, options, requestBinder);
  const { refusals } = options;
  checkChoice("refusals", refusals, ["reject", "respond"]);
  return assertedFetch(fetch, authorizer, refusals === "respond" ? answerToRefusal : undefined);
}
