import { parseOrigin } from "@countersign/agent-key";
import { platformFetch, readBounded } from "@countersign/agent-key/platform-fetch";
import type { CustomFetch } from "openid-client";
import { CliError } from "../text/cli-error.js";

const MAX_BYTES = 1024 * 1024;

/**
 * Makes the `fetch` that an issuer is asked with: https, or http on loopback, whatever the issuer says of its endpoints; at most 1 MiB of
 * answer; ended by the signal; loopback by no proxy. Redirects are the client's to refuse, which it does.
 */
export function createIssuerFetch(
  signal: AbortSignal,
  http: { readonly insecureHttp: boolean },
): CustomFetch {
  return async (url, options) => {
    parseOrigin(url, http);
    const { body, signal: own, ...rest } = options;
    const response = await platformFetch(url, {
      ...rest,
      body: body ?? null,
      redirect: "manual",
      signal: own === undefined ? signal : AbortSignal.any([own, signal]),
    });
    const { status, statusText, headers } = response;
    const { bytes, isCut } = await readBounded(response, MAX_BYTES);
    if (isCut) {
      throw new CliError("bad_response", "the issuer's answer is longer than 1 MiB", {
        hint: "check --issuer",
      });
    }
    return new Response(bytes.length === 0 ? null : bytes, { status, statusText, headers });
  };
}
