import { AuthorizedRequest } from "./authorized-request.js";
import type { Authorizer, Fields } from "./authorizer.js";
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
import { discard, responseCode } from "./refused-response.js";
import { sendAuthorized } from "./send-authorized.js";

type Fetch = typeof globalThis.fetch;

/** A `fetch` that signs. It fits wherever a `fetch` is wanted; its `body` may also be a function that makes a stream. */
export type AssertedFetch = (input: FetchInput, init?: AssertedInit) => Promise<Response>;

/**
 * Makes a `fetch` that signs as `withAssertion` does.
 *
 * @param answerTo - gives the answer to an error in place of the error; `undefined`: the call rejects
 */
export function assertedFetch(
  fetch: Fetch,
  authorizer: Authorizer,
  answerTo?: (error: unknown) => Response | undefined,
): AssertedFetch {
  return async (input, init) => {
    const call = describeCall(input, init);
    let response: Response | undefined;
    try {
      if (call === undefined) authorizer.elsewhere(undefined);
      else response = await sendCall(fetch, authorizer, call);
    } catch (error) {
      // As `fetch` has it: a caller that ended the call gets its own reason, not what the source makes of it.
      call?.signal?.throwIfAborted();
      const answer = answerTo?.(error);
      if (answer !== undefined) return answer;
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
