import type { CredentialSource } from "@countersign/agent-key";
import type { AssertionOptions } from "./assertion-options.js";
import { AuthorizedRequest } from "./authorized-request.js";
import { type Authorizer, createAuthorizer, type Fields } from "./authorizer.js";
import { checkChoice, checkFunction } from "./check-transport.js";
import {
  followRedirect,
  isRedirect,
  MAX_REDIRECTS,
  type RedirectAnswer,
} from "./follow-redirect.js";
import {
  type AssertedInit,
  attemptInit,
  describeCall,
  type FetchInput,
  type Hop,
  type OutgoingCall,
  withKnownBody,
} from "./outgoing-call.js";
import { credentialFieldsIn } from "./own-credentials.js";
import { isFinalRefusal, refusalResponse } from "./refusal-of.js";
import { discard, responseCode } from "./refused-response.js";
import { sendAuthorized } from "./send-authorized.js";

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

/** A `fetch` that signs. It fits wherever a `fetch` is wanted; its `body` may also be a function that makes a stream. */
export type AssertedFetch = (input: FetchInput, init?: AssertedInit) => Promise<Response>;

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
  const authorizer = createAuthorizer(source, options);
  const { refusals } = options;
  checkChoice("refusals", refusals, ["reject", "respond"]);
  return async (input, init) => {
    const call = describeCall(input, init);
    let response: Response | undefined;
    try {
      if (call === undefined) authorizer.elsewhere(undefined);
      else response = await sendCall(fetch, authorizer, call);
    } catch (error) {
      // As `fetch` has it: a caller that ended the call gets its own reason, not what the source makes of it.
      call?.signal?.throwIfAborted();
      if (refusals === "respond" && isFinalRefusal(error)) return refusalResponse(error);
      throw error;
    }
    return response ?? fetch(input, init && attemptInit(init));
  };
}

// `undefined`: the call is to be made as its caller made it.
async function sendCall(
  fetch: Fetch,
  authorizer: Authorizer,
  call: OutgoingCall,
): Promise<Response | undefined> {
  const request = new AuthorizedRequest(authorizer, call.signal);
  try {
    return await sendHops(fetch, request, call);
  } catch (error) {
    request.failed(error);
    throw error;
  }
}

async function sendHops(
  fetch: Fetch,
  request: AuthorizedRequest,
  call: OutgoingCall,
): Promise<Response | undefined> {
  let hop = call.first;
  for (let redirects = 0; ; redirects += 1) {
    const { headers } = hop;
    const own = headers === undefined ? [] : credentialFieldsIn((name) => headers.has(name));
    const rule = await request.enter(hop.url, own);
    if (rule.kind === "as_made") return undefined;
    for (const name of own) if (rule.without.includes(name)) headers?.delete(name);
    if (request.isBound && hop.bytes === undefined) hop = await withKnownBody(hop);
    const response = await sendHop(fetch, request, call, hop);
    const answer = { status: response.status, location: response.headers.get("location") };
    if (call.redirect !== "follow" || !isRedirect(answer)) {
      if (redirects > 0) Object.defineProperty(response, "redirected", { value: true });
      return response;
    }
    discard(response);
    if (redirects === MAX_REDIRECTS) throw new TypeError("too many redirects");
    hop = nextHop(hop, answer);
  }
}

function nextHop(hop: Hop, answer: RedirectAnswer): Hop {
  const { url, method, droppedFields, keepsBody } = followRedirect(hop, answer);
  const headers = new Headers(hop.headers);
  for (const name of droppedFields) headers.delete(name);
  const next = { url, method, headers, input: url.href };
  if (keepsBody) return { ...hop, ...next, init: { ...hop.init, method } };
  const { body: _, ...bodiless } = hop.init;
  return { ...next, isReplayable: true, init: { ...bodiless, method } };
}

function sendHop(
  fetch: Fetch,
  request: AuthorizedRequest,
  { redirect, signal }: OutgoingCall,
  hop: Hop,
): Promise<Response> {
  const { url, method, headers, isReplayable, bytes } = hop;
  const contentDigest = headers?.get("content-digest") ?? undefined;
  return sendAuthorized<Response>(request, {
    outgoing: { url, method, body: bytes, contentDigest },
    isReplayable,
    send: (fields) =>
      fetch(hop.input, {
        ...attemptInit(hop.init),
        ...(signal === undefined ? {} : { signal }),
        headers: headers === undefined ? Object.fromEntries(fields) : merged(headers, fields),
        // Left to `fetch`, a redirect would be followed without a new assertion, or with this one.
        redirect: redirect === "follow" ? "manual" : redirect,
      }),
    statusOf: (response) => response.status,
    codeOf: responseCode,
    discard,
  });
}

// Both have names in lower case. `fetch` makes its own copy of the result.
function merged(headers: Headers, fields: Fields): [string, string][] {
  const made = new Map(fields);
  return [...[...headers].filter(([name]) => !made.has(name)), ...made];
}
