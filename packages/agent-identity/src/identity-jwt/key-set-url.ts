import { type HttpUrlOptions, parseAuthority } from "@countersign/agent-key";

/**
 * The URL of the key set of identity JWTs for a base URL, as Codex derives it: below `/backend-api` it is
 * `{base}/wham/agent-identities/jwks`, below `/api/codex` `{base}/agent-identities/jwks`, else `{base}/api/codex/agent-identities/jwks`.
 *
 * @param base - from the configuration, never from a token
 * @throws {AgentKeyError} `config_invalid` when it is no base URL
 */
export function keySetUrl(base: string, options: HttpUrlOptions = {}): string {
  const url = parseAuthority(base, options);
  const { pathname } = new URL(url);
  if (pathname.includes("/backend-api")) return `${url}/wham/agent-identities/jwks`;
  if (pathname.includes("/api/codex")) return `${url}/agent-identities/jwks`;
  return `${url}/api/codex/agent-identities/jwks`;
}
