import { isLoopbackHost, parseAuthority } from "@countersign/agent-key";

/**
 * Returns whether a text may be the URL of an issuer or of its keys: https, or http to this machine's loopback; no user name, query or
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

/** Returns whether keys at this URL may be trusted for this issuer. Keys of an https issuer must come by https. */
export function isKeySetUrl(value: string, issuer: string): boolean {
  if (!URL.canParse(value)) return false;
  const { protocol, hostname, username, password, hash } = new URL(value);
  if (username !== "" || password !== "" || hash !== "") return false;
  if (protocol === "https:") return true;
  return protocol === "http:" && isLoopbackHost(hostname) && new URL(issuer).protocol === "http:";
}
