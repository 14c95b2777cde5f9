import type { Code, CredentialSource } from "@countersign/agent-key";
import { codeOfStatus } from "@countersign/agent-key/problem";
import { AgentAssertionError } from "../../agent-assertion-error.js";
import type { AssertionOptions } from "../assertion-options.js";
import { AuthorizedRequest } from "../authorized-request.js";
import { createAuthorizer } from "../authorizer.js";
import { withoutFields } from "../own-credentials.js";
import { requestBinder } from "../request-binder.js";
import { sendAuthorized, type Wire } from "../send-authorized.js";
import { ownFieldsOf } from "./dial-credentials.js";
import type { DialHeaders, DialOptions } from "./dial-options.js";
import { dialUrl, withHttpOrigins } from "./dial-url.js";
import {
  type DialAnswer,
  type DialledSocket,
  openSocket,
  refuseRedirects,
  requireKnownSocket,
} from "./dialled-socket.js";

/** Dials a WebSocket: `connect` makes it with the headers that it gets, once, or twice after a 401. */
export type AssertedDial = <Socket extends DialledSocket>(
  url: string | URL,
  connect: (headers: DialHeaders) => Socket,
  options?: DialOptions,
) => Promise<Socket>;

/**
 * Makes a function that dials WebSockets of `ws` with an assertion, made for each dial:
 * `await dial(url, (headers) => new WebSocket(url, { headers }))`.
 *
 * It resolves when the socket is open, before its first message is told. On 401 the source is told, and `connect` is called once more if
 * the source gives another credential; the refused socket stays silent. Leave `followRedirects` of `ws` off, as it is by default: a redirect
 * ends the dial, since it would carry the headers along. A URL that is not named is dialled with the caller's own headers alone.
 *
 * A caller's own `Authorization`, user name in the URL and key fields are replaced at the named URLs; `ownAuthorization` and `keepFields`
 * decide otherwise. While the feature is off a dial has the caller's own headers alone, unless the human's token may go to the origin.
 *
 * A dial rejects with the socket's own error, with the source's, or with an {@link AgentAssertionError}: the refusal's code, or
 * `unauthenticated`, for a 401; `forbidden`, `rate_limited`, `server_error` or `refused` for other answers; `invalid_request` for a URL that
 * is not a ws(s) URL.
 *
 * @throws {AgentKeyError | AgentAssertionError} `config_invalid` if an argument, an option, an origin or a pattern is not valid
 * @see protocol.md §10
 */
export function dialWithAssertion(
  source: CredentialSource,
  options: AssertionOptions,
): AssertedDial {
  const authorizer = createAuthorizer(source, withHttpOrigins(options), requestBinder);
  return async (given, connect, { headers: own = {}, signal } = {}) => {
    const url = dialUrl(given);
    const request = new AuthorizedRequest(authorizer, signal);
    const rule = await request.enter(url, ownFieldsOf(url, own)).catch((error: unknown) => {
      request.failed(error);
      throw error;
    });
    const isAsMade = rule.kind === "as_made";
    const kept = isAsMade ? own : withoutFields(own, rule.without);
    const send = async (fields: DialHeaders) => {
      signal?.throwIfAborted();
      const socket = connect({ ...kept, ...fields });
      requireKnownSocket(socket);
      if (!isAsMade) refuseRedirects(socket);
      return openSocket(socket, signal);
    };
    const answer = await sendAuthorized(request, wireOf(url, send));
    if (answer.kind === "opened") return answer.socket;
    const code = await answer.code;
    discard(answer);
    throw refusedDial(answer.status, code);
  };
}

function wireOf<Socket>(
  url: URL,
  send: (fields: DialHeaders) => Promise<DialAnswer<Socket>>,
): Wire<DialAnswer<Socket>> {
  return {
    outgoing: { url, method: "GET" },
    isReplayable: true,
    send: (fields) => send(Object.fromEntries(fields)),
    statusOf: (answer) => (answer.kind === "opened" ? 101 : answer.status),
    codeOf: async (answer) => (answer.kind === "opened" ? undefined : answer.code),
    discard,
  };
}

function discard(answer: DialAnswer<unknown>): void {
  if (answer.kind === "refused") answer.request.destroy();
}

function refusedDial(status: number, code: Code | undefined): AgentAssertionError {
  const message = `the server answered the dial with status ${status}`;
  // A redirect is not followed.
  const usual = status < 400 ? "refused" : codeOfStatus(status);
  return new AgentAssertionError(code ?? usual, message, {
    retryable: status === 429 || status >= 500,
  });
}
