import type { CredentialSource } from "@countersign/agent-key";
import { refusalCode } from "@countersign/agent-key/problem";
import type { AssertionOptions } from "../assertion-options.js";
import { AuthorizedRequest } from "../authorized-request.js";
import { createAuthorizer, type Outgoing } from "../authorizer.js";
import { withoutFields } from "../own-credentials.js";
import { requestBinder } from "../request-binder.js";
import { ownFieldsOf } from "./dial-credentials.js";
import type { DialHeaders, DialOptions } from "./dial-options.js";
import { dialUrl, withHttpOrigins } from "./dial-url.js";

/** The head of an answer that refused a dial, as `node:http` gives it. */
export interface RefusedDial {
  readonly statusCode?: number | undefined;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** The body, if it was read. */
  readonly body?: string | undefined;
}

/** Gives the headers of each dial; the caller reports back how the dial went. */
export interface AssertionHeaders {
  /**
   * Returns the headers for a dial that is made now. Call it again for every reconnect.
   *
   * @returns only the caller's own fields if the URL is not named, or the feature is off
   * @throws {AgentAssertionError} `invalid_request` if it is not a ws(s) URL, or the options refuse it. Otherwise any error that the source
   * rejects with: then the caller must not dial without a credential
   */
  headers(url: string | URL, options?: DialOptions): Promise<DialHeaders>;
  /** Call it when the dial with these headers succeeded. */
  opened(headers: DialHeaders): void;
  /**
   * Call it when the dial with these headers was refused. Any status other than 401 counts as a success of the credential.
   *
   * @returns headers for one more dial; `undefined`: hand the refusal up
   */
  refused(headers: DialHeaders, response: RefusedDial): Promise<DialHeaders | undefined>;
}

interface Dial {
  readonly request: AuthorizedRequest;
  readonly outgoing: Outgoing;
  readonly own: Readonly<DialHeaders>;
  readonly isRepeated: boolean;
}

/**
 * Makes the headers of WebSocket dials, for a client that takes headers.
 *
 * undici's and Node's own `WebSocket` hide why a dial was refused, so the caller cannot report the refusal to the source. Then the source finds
 * out on its own that a task was revoked, for instance at its next renewal. If a refused dial must recover, use `dialWithAssertion` with `ws`,
 * or undici's `WebSocket` over a dispatcher with the interceptor of `/undici`.
 *
 * A client that follows redirects by itself must not get these headers: it would send them to the new place too. undici's and Node's `WebSocket`
 * never follow redirects.
 *
 * @throws {AgentKeyError | AgentAssertionError} `config_invalid` if an argument, an option, an origin or a pattern is not valid
 * @see protocol.md §10
 */
export function assertionHeaders(
  source: CredentialSource,
  options: AssertionOptions,
): AssertionHeaders {
  const authorizer = createAuthorizer(source, withHttpOrigins(options), requestBinder);
  const dials = new WeakMap<DialHeaders, Dial>();
  const headersOf = async (dial: Dial): Promise<DialHeaders> => {
    const { request, outgoing } = dial;
    const fields = await request.fields(outgoing).catch((error: unknown) => {
      request.failed(error);
      throw error;
    });
    const headers = { ...dial.own, ...Object.fromEntries([...request.traceFields, ...fields]) };
    // Its caller dials: how that goes may never be reported.
    request.ended();
    dials.set(headers, dial);
    return headers;
  };
  return {
    async headers(given, { headers: own = {}, signal } = {}) {
      const url = dialUrl(given);
      const request = new AuthorizedRequest(authorizer, signal);
      const rule = await request.enter(url, ownFieldsOf(url, own)).catch((error: unknown) => {
        request.failed(error);
        throw error;
      });
      if (rule.kind === "as_made") return { ...own };
      const kept = withoutFields(own, rule.without);
      const outgoing = { url, method: "GET" };
      return await headersOf({ request, outgoing, own: kept, isRepeated: false });
    },
    opened(headers) {
      dials.get(headers)?.request.accepted();
    },
    async refused(headers, response) {
      const dial = dials.get(headers);
      if (dial === undefined) return undefined;
      if (response.statusCode !== 401) {
        dial.request.accepted();
        return undefined;
      }
      if (dial.isRepeated) return undefined;
      const code = await dialCode(response, () => response.body ?? "");
      if (!(await dial.request.refused(code, true))) return undefined;
      return await headersOf({ ...dial, isRepeated: true });
    },
  };
}

/** Reads why a dial was refused. */
export function dialCode({ headers }: RefusedDial, readStart: () => string | Promise<string>) {
  const text = (name: string) => {
    const value = headers[name];
    return typeof value === "object" ? value.join(", ") : value;
  };
  const fields = {
    wwwAuthenticate: text("www-authenticate"),
    contentType: text("content-type"),
  };
  return refusalCode(fields, readStart);
}
