// Issuers that give a token to any of their customers. Each is one issuer for all of them, so its signature alone proves nothing.
const SHARED_HOSTS: ReadonlySet<string> = new Set([
  "accounts.google.com",
  "agent.buildkite.com",
  "app.terraform.io",
  "appleid.apple.com",
  "gitlab.com",
  "oauth2.sigstore.dev",
  "token.actions.githubusercontent.com",
]);

const ENTRA_HOSTS: ReadonlySet<string> = new Set([
  "login.microsoftonline.com",
  "login.microsoftonline.us",
  "login.partner.microsoftonline.cn",
  "login.windows.net",
  "sts.windows.net",
]);
const ENTRA_TENANT = /^\/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?:\/|$)/i;
// The tenant that all personal accounts are in.
const ENTRA_CONSUMERS = /^\/9188040d-6c67-4c5b-b112-36a304b66dad(?:\/|$)/i;

/** Returns whether strangers get tokens of this issuer too. Such an issuer needs `require`. */
export function isSharedIssuer(issuer: string): boolean {
  const { hostname, pathname } = new URL(issuer);
  if (SHARED_HOSTS.has(hostname)) return true;
  // Everything but one tenant of its own: `common`, `organizations`, `consumers`.
  return (
    ENTRA_HOSTS.has(hostname) && (!ENTRA_TENANT.test(pathname) || ENTRA_CONSUMERS.test(pathname))
  );
}
