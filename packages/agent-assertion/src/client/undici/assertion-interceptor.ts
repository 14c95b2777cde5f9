import type { CredentialSource } from "@countersign/agent-key";
import type { Dispatcher } from "undici";
import type { AssertionOptions } from "../assertion-options.js";
import { createAuthorizer } from "../authorizer.js";
import { CREDENTIAL_FIELDS, withoutFields } from "../own-credentials.js";
import { requestBinder } from "../request-binder.js";
import { attemptBody } from "./dispatch-body.js";
import { headerRecord } from "./dispatch-headers.js";
import { dispatchTarget, redirectChain } from "./dispatch-target.js";
import { failDispatch } from "./fail-dispatch.js";
import { callerHandler, TwoFormHandler } from "./handler-forms.js";
import { SignedDispatch } from "./signed-dispatch.js";
import { UnseenRedirects } from "./unseen-redirects.js";

/** Options of {@link assertionInterceptor}. */
export interface AssertionInterceptorOptions extends AssertionOptions {}

/** An interceptor for `compose` of a dispatcher of undici 6, 7 or 8, whose own types for it differ. */
export type AssertionInterceptor = (
  dispatch: (options: never, handler: never) => boolean,
) => (options: object, handler: object) => boolean;

/**
 * Makes an undici interceptor that signs the requests to the named origins, each attempt when it is written:
 * `new Agent().compose(assertionInterceptor(thread, { origins }))`.
 *
 * A caller's own `Authorization` and key fields are replaced at the named URLs; `ownAuthorization` and `keepFields` decide otherwise. While
 * the feature is off a request is dispatched as its caller made it, unless the human's token may go to the origin.
 *
 * On 401 the source is told, and the request is sent once more if the source gives another credential and the body can be sent again: a
 * text, bytes, undici's form, what can be iterated again, a {@link repeatableBody}; but no stream, no generator and so no body of undici's
 * `fetch`, which hands every body on as a generator: there a 401 of a request with a body is handed up; `/fetch` can send it again. Upgrades
 * are signed and repeated too, so that undici's `WebSocket` over this dispatcher recovers by itself.
 *
 * Compose it **before** `interceptors.redirect`: each redirect to a named URL is then signed again. Once one led elsewhere, no further
 * request carries a credential, of the agent or of the caller. A redirect interceptor below this one is told not to follow.
 * `interceptors.retry` may stand before or after it. undici's `fetch` follows redirects by itself and does not say what led to a request:
 * the request that an answer leads to is then known by its URL.
 *
 * Dispatcher and caller may each be of undici 6, 7 or 8, or the caller Node's own `fetch`; a request of any other is refused when it is dispatched
 * (`config_invalid`). A caller that is of undici 6, or that is the `fetch` of a Node with undici 6 or 7 inside, cannot read HTTP/2; an `Agent` is told so.
 *
 * `CONNECT` and requests without an origin are not for a named URL. Without a credential a request fails with the source's error, and
 * nothing is sent.
 *
 * @throws {AgentKeyError | AgentAssertionError} `config_invalid` if an argument, an option, an origin or a pattern is not valid
 * @see protocol.md §10
 */
export function assertionInterceptor(
  source: CredentialSource,
  options: AssertionInterceptorOptions,
): AssertionInterceptor {
  const authorizer = createAuthorizer(source, options, requestBinder);
  // Chains of redirects whose first request was left to its caller: so are the others.
  const chainsAsMade = new WeakSet<object>();
  const unseen = new UnseenRedirects(authorizer.covers);
  const intercept: Dispatcher.DispatcherComposeInterceptor = (below) => (given, caller) => {
    const { handler, hasCallbacks } = callerHandler(caller);
    const opts = hasCallbacks ? { ...given, allowH2: false } : given;
    const dispatch: Dispatcher.Dispatch = (attempt, told) =>
      below(attempt, new TwoFormHandler(told));
    const pass = (changed: object = {}, passed = handler) =>
      dispatch({ ...opts, ...changed, body: attemptBody(opts.body) }, passed);
    const target = opts.method === "CONNECT" ? undefined : dispatchTarget(opts);
    const headers = headerRecord(opts.headers);
    // undici refuses them.
    if (headers === undefined) return pass();
    const chain = redirectChain(handler);
    if (chain.id !== undefined && chainsAsMade.has(chain.id)) return pass();
    const from = target && { url: target.url, headers };
    const unseenFrom = from && chain.id === undefined ? unseen.take(from) : undefined;
    const isRedirect = unseenFrom !== undefined || chain.urls.length > 0;
    const wasNamed = unseenFrom !== undefined || chain.urls.some((url) => authorizer.covers(url));
    const hasLeft =
      unseenFrom === "elsewhere" || !chain.urls.every((url) => authorizer.covers(url));
    if (target === undefined || !authorizer.covers(target.url) || hasLeft) {
      try {
        authorizer.elsewhere(target?.url, isRedirect);
      } catch (error) {
        failDispatch(handler, error);
        return true;
      }
      if (!wasNamed) return pass();
      const without = { headers: withoutFields(headers, CREDENTIAL_FIELDS) };
      return pass(without, unseenFrom && from ? unseen.watch(from, handler) : handler);
    }
    const onAsMade = () => void (chain.id && chainsAsMade.add(chain.id));
    const dispatched = { dispatch, opts, handler, target, headers, isRedirect, unseen, onAsMade };
    void new SignedDispatch(authorizer, dispatched).start();
    return true;
  };
  return intercept as AssertionInterceptor;
}
