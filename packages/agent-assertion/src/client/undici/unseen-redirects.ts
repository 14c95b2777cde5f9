import { LinkedMap } from "@countersign/agent-key";
import type { Dispatcher } from "undici";
import { isRedirect } from "../follow-redirect.js";
import { KEY_FIELDS } from "../own-credentials.js";
import { fieldOf } from "./dispatch-headers.js";
import type { KnownHandler } from "./handler-forms.js";

type Handler = Dispatcher.DispatchHandler;
type ResponseFields = Parameters<NonNullable<Handler["onResponseStart"]>>[2];

// Callers that do not follow redirects leave entries, and may get the same redirect any number of times.
const MAX_EXPECTED = 1000;

/** A request whose answer may be a redirect. */
export interface RedirectedFrom {
  readonly url: URL;
  /** The caller's own fields. */
  readonly headers: Readonly<Record<string, unknown>>;
}

/** Where the redirects came from that led to a request: from named URLs alone, or through one that is not named. */
export type Origin = "named" | "elsewhere";

/**
 * Redirects that a caller follows by itself, as undici's `fetch` does: the request that follows does not say what led to it. It is known by its
 * URL and by the caller's key fields, which it still has. `Authorization` is not compared, since `fetch` removes it.
 */
export class UnseenRedirects {
  readonly #isNamed: (url: URL) => boolean;
  // For each request that is expected, where its redirects came from, as often as it is expected.
  readonly #expected = new LinkedMap<string, Origin[]>(MAX_EXPECTED);

  /** @param isNamed - whether requests to a URL get a credential */
  constructor(isNamed: (url: URL) => boolean) {
    this.#isNamed = isNamed;
  }

  /** Takes note of an answer if it is a redirect. */
  note({ url, headers }: RedirectedFrom, status: number, fields: ResponseFields): void {
    // As `fetch` reads several lines.
    const location = [fields.location ?? []].flat().join(", ");
    if (!isRedirect({ status, location }) || !URL.canParse(location, url.href)) return;
    const next = entryOf({ url: new URL(location, url.href), headers });
    const expected = this.#expected.get(next) ?? [];
    expected.push(this.#isNamed(url) ? "named" : "elsewhere");
    if (expected.length > MAX_EXPECTED) expected.shift();
    this.#expected.set(next, expected);
  }

  /** Where the redirects came from that led to this request; `undefined`: none did. It is expected no longer. */
  take(request: RedirectedFrom): Origin | undefined {
    if (this.#expected.size === 0) return undefined;
    const entry = entryOf(request);
    const expected = this.#expected.get(entry);
    const origin = expected?.pop();
    if (expected?.length === 0) this.#expected.delete(entry);
    return origin;
  }

  /** The same handler, with the redirect that it may get noted too. */
  watch(from: RedirectedFrom, handler: KnownHandler): KnownHandler {
    return {
      onRequestStart: (...args) => handler.onRequestStart(...args),
      onRequestUpgrade: (...args) => handler.onRequestUpgrade?.(...args),
      onResponseStart: (controller, status, fields, message) => {
        this.note(from, status, fields);
        handler.onResponseStart?.(controller, status, fields, message);
      },
      onResponseData: (...args) => handler.onResponseData?.(...args),
      onResponseEnd: (...args) => handler.onResponseEnd?.(...args),
      onResponseError: (...args) => handler.onResponseError(...args),
      onResponseStarted: () => handler.onResponseStarted?.(),
      onBodySent: (...args) => handler.onBodySent?.(...args),
      onRequestSent: () => handler.onRequestSent?.(),
    };
  }
}

// Without a fragment, which no request has.
function entryOf({ url: { origin, pathname, search }, headers }: RedirectedFrom): string {
  const keys = KEY_FIELDS.map((name) => fieldOf(headers, name));
  return JSON.stringify([origin, pathname, search, ...keys]);
}
