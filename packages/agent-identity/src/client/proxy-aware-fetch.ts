import { isLoopbackHost } from "@countersign/agent-key";
import { defaultDispatcher } from "./default-dispatcher.js";

/** What {@link proxyAwareFetch} sends: the options of `fetch` that Node's own and undici's share. */
export interface ProxyAwareFetchInit {
  readonly method?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: RequestInit["body"] | undefined;
  readonly redirect?: "manual" | "error" | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * `fetch` for the requests that Countersign sends to servers other than an authority: the rule for proxies is that of `AuthorityClient`.
 *
 * A loopback host is reached directly, whatever dispatcher the program has set and whatever the proxies of the environment are: plain http is allowed
 * there because it does not leave the machine. For every other host it is the global `fetch`.
 *
 * Which URLs may be asked is the caller's to check. Rejects as `fetch` does.
 */
export async function proxyAwareFetch(
  url: string,
  { body = null, ...init }: ProxyAwareFetchInit = {},
): Promise<Response> {
  const { method = "GET", headers = {}, redirect = "error", signal = null } = init;
  const options = { method, headers, body, redirect, signal };
  if (!isLoopbackHost(new URL(url).hostname)) return await fetch(url, options);
  const undici = await import("undici");
  const direct = { ...options, dispatcher: defaultDispatcher(undici, url) };
  // The same interfaces, declared by undici once more.
  const answer: unknown = await undici.fetch(url, direct as import("undici").RequestInit);
  return answer as Response;
}
