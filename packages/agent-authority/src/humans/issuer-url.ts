import { isLoopbackHost, parseAuthority } from "@countersign/agent-key";

/**
 * Tells whether a text is a URL that an issuer, or its keys, may be at: https, or http to this machine's loopback; no user name, query or
 * fragment.
 */
export function isIssuerUrl(value: string): boolean {
  try {
    parseAuthority(value);
    return true;
  } catch {
    return false;
  }
}

/** Tells whether keys at this URL may be believed for this issuer. One that is reached by https is not spoken for by plain http. */
export function isKeySetUrl(value: string, issuer: string): boolean {
  if (!URL.canParse(value)) return false;
  const { protocol, hostname, username, password, hash } = new URL(value);
  if (username !== "" || password !== "" || hash !== "") return false;
  if (protocol === "https:") return true;
  return protocol === "http:" && isLoopbackHost(hostname) && new URL(issuer).protocol === "http:";
}
