import type { CredentialSource } from "@countersign/agent-key";
import type { Dispatcher } from "undici";
import type { AssertionOptions } from "../assertion-options.js";
import { createAuthorizer } from "../authorizer.js";
import { attemptBody } from "./dispatch-body.js";
import { fieldOf, headerRecord } from "./dispatch-headers.js";
import { dispatchTarget, redirectHistory } from "./dispatch-target.js";
import { SignedDispatch } from "./signed-dispatch.js";

/** Options of {@link assertionInterceptor}. */
export interface AssertionInterceptorOptions extends AssertionOptions {}

/**
 * Makes an undici interceptor that signs the requests to the named origins, each attempt when it is written:
 * `new Agent().compose(assertionInterceptor(thread, { origins }))`.
 *
 * On 401 the source is told, and the request is sent once more if the source gives another credential and the body can be sent again: a
 * text, bytes, undici's form, what can be iterated again, a {@link repeatableBody}; but no stream, no generator and so no body of undici's
 * `fetch`, which hands every body on as a generator: there a 401 of a request with a body is handed up; `/fetch` can send it again. Upgrades
 * are signed and repeated too, so that undici's `WebSocket` over this dispatcher recovers by itself.
 *
 * Compose it **before** `interceptors.redirect`: each redirect to a named URL is then signed anew, and nothing further once one led
 * elsewhere. A redirect interceptor below this one is told not to follow. `interceptors.retry` may stand before or after it. undici's
 * `fetch` follows redirects by itself, without a word of where it comes from: a redirect back from elsewhere is signed there; `/fetch`
 * does not.
 *
 * `CONNECT`, requests without an origin, and a caller's own `Authorization` header pass untouched, the last with a warning. Without a
 * credential a request fails with the source's error, and nothing is sent.
 *
 * @throws {AgentKeyError | AgentAssertionError} `config_invalid` when an origin or a pattern is none
 * @see protocol.md §8
 */
export function assertionInterceptor(
  source: CredentialSource,
  options: AssertionInterceptorOptions,
): Dispatcher.DispatcherComposeInterceptor {
  const authorizer = createAuthorizer(source, options);
  return (dispatch) => (opts, handler) => {
    const pass = () => dispatch({ ...opts, body: attemptBody(opts.body) }, handler);
    const target = dispatchTarget(opts);
    const headers = headerRecord(opts.headers);
    if (target === undefined || headers === undefined || opts.method === "CONNECT") return pass();
    if (!authorizer.covers(target.url)) return pass();
    if (!redirectHistory(handler).every((url) => authorizer.covers(url))) return pass();
    if (fieldOf(headers, "authorization") !== undefined) {
      authorizer.warnOfOwnHeader(target.url);
      return pass();
    }
    void new SignedDispatch(authorizer, { dispatch, opts, handler, target, headers }).start();
    return true;
  };
}
