/** What is sent: the options of `fetch` that Countersign uses. */
export interface FetchInit {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: NonNullable<RequestInit["body"]> | null;
  /** Redirects are never followed: the answer is the redirect itself. */
  readonly redirect: "manual";
  readonly signal?: AbortSignal | null;
}

/**
 * What sends the requests to an authority: `fetch`, or a function that sends as it does, for instance by way of a dispatcher with a private CA.
 *
 * It must not follow redirects, must send the header fields as they are given, and rejects if there is no answer.
 */
export type Fetch = (url: string, init: FetchInit) => Promise<Response>;
