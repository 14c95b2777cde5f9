import type { AssertedFetch } from "@countersign/agent-assertion/fetch";
import { type SignedBy, type SigningOptions, signingFetch } from "./signing-options.js";

/**
 * Options for `new StreamableHTTPClientTransport(url, …)` of `@modelcontextprotocol/client`, or of `@modelcontextprotocol/sdk` 1. No `authProvider` is needed.
 *
 * A call rejects with the refusal itself, at once.
 *
 * @param url - the server's URL, as the transport takes it; requests to its origin are signed
 * @throws {AgentKeyError | AgentAssertionError} `config_invalid`, naming the option, if one is wrong or unknown; if `url` is plain http to another
 * machine
 */
export function mcp(
  signedBy: SignedBy,
  url: string | URL,
  options: SigningOptions = {},
): { readonly fetch: AssertedFetch } {
  const text = url instanceof URL ? url.href : url;
  return {
    fetch: signingFetch(
      signedBy,
      { name: "url", url: text, hasPlaceholder: false },
      options,
      "reject",
    ),
  };
}
