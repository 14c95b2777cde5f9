/**
 * Why a proxy keeps a client's field back from its upstream:
 *
 * - `proxy`: only the proxy says who the agent is, and opens a WebSocket.
 * - `request`: it names another method, URL or host than the ones that were seen, bound and audited.
 * - `front`: upstreams take it for the word of a proxy in front: where the client is, and how it came.
 * - `user`: upstreams take it for the word of a login in front: who the user is.
 * - `key`: it is a credential, which an upstream may prefer to the proxy's.
 * - `tenant`: it chooses for whom the credential is used, and who pays.
 */
export type KeptBackKind = "proxy" | "request" | "front" | "user" | "key" | "tenant";

interface Group {
  readonly kind: KeptBackKind;
  /** All of them comparable. */
  readonly names: readonly string[];
  readonly prefixes?: readonly string[];
  readonly suffixes?: readonly string[];
}

const GROUPS: readonly Group[] = [
  { kind: "proxy", names: ["authorization"], prefixes: ["sec-websocket-", "x-agent-"] },
  // Frameworks obey the overrides. CGI programs get `Proxy` as HTTP_PROXY, by which they choose a proxy for their own requests.
  {
    kind: "request",
    names: [
      ...["proxy", "x-http-method", "x-http-method-override", "x-method-override"],
      ...["x-original-host", "x-original-method", "x-original-uri", "x-original-url"],
      "x-rewrite-url",
    ],
  },
  // De facto fields of reverse proxies, load balancers and content networks.
  {
    kind: "front",
    names: [
      ...["forwarded", "x-forwarded", "client-ip", "x-originating-ip", "x-azure-socketip"],
      ...["cf-connecting-ipv6", "cf-pseudo-ipv4"],
    ],
    prefixes: ["x-forwarded-", "x-original-forwarded-", "x-envoy-"],
    suffixes: [
      ...["-client-ip", "-clientip", "-connecting-ip", "-connection-ip", "-real-ip", "-remote-ip"],
      ...["-user-ip", "-forwarded-for", "-remote-addr", "-viewer-address"],
    ],
  },
  // Identity-aware proxies, API gateways, single sign-on, and front ends that check client certificates.
  {
    kind: "user",
    names: [
      ...["x-anonymous-consumer", "x-apigateway-api-userinfo", "x-arr-clientcert"],
      ...["x-credential-identifier", "x-endpoint-api-userinfo"],
    ],
    prefixes: [
      ...["cf-access-", "client-cert", "remote-", "ssl-client-", "tailscale-user-"],
      ...["x-amzn-mtls-", "x-amzn-oidc-", "x-appengine-", "x-auth-request-", "x-authentik-"],
      ...["x-client-cert", "x-consumer-", "x-goog-authenticated-user-", "x-goog-iap-"],
      ...["x-ms-client-principal", "x-ms-token-", "x-pomerium-", "x-remote-", "x-ssl-client-"],
      "x-webauth-",
    ],
  },
  // Vendors of APIs, and gateways before them, read a key beside `Authorization`.
  {
    kind: "key",
    names: [
      ...["api-key", "apikey", "private-token", "x-functions-key"],
      ...["x-goog-iam-authorization-token", "x-vault-token"],
    ],
    suffixes: [
      ...["-access-token", "-api-key", "-api-token", "-apikey", "-auth-token", "-authorization"],
      ...["-security-token", "-session-token", "-subscription-key"],
    ],
  },
  {
    kind: "tenant",
    names: [
      ...["openai-organization", "openai-project", "x-dashscope-workspace", "x-goog-user-project"],
      ...["x-org-id", "x-organization-id", "x-scope-orgid", "x-tenant-id"],
    ],
  },
];

const KINDS: ReadonlyMap<string, KeptBackKind> = new Map(
  GROUPS.flatMap(({ kind, names }) => names.map((name) => [name, kind] as const)),
);

// Most fields are not among these: one look decides.
const AFFIX = new RegExp(
  [
    ...GROUPS.flatMap(({ prefixes = [] }) => prefixes.map((prefix) => `^${prefix}`)),
    ...GROUPS.flatMap(({ suffixes = [] }) => suffixes.map((suffix) => `${suffix}$`)),
  ].join("|"),
);

/**
 * Returns the kind of a client's field that is kept back.
 *
 * @param name - comparable
 * @returns `undefined` if the field is not kept back by its name. Not checked here: fields of the connection, cookies, and fields that a
 * proxy sets itself
 */
export function keptBackKind(name: string): KeptBackKind | undefined {
  const known = KINDS.get(name);
  if (known !== undefined || !AFFIX.test(name)) return known;
  return GROUPS.find(
    ({ prefixes = [], suffixes = [] }) =>
      prefixes.some((prefix) => name.startsWith(prefix)) ||
      suffixes.some((suffix) => name.endsWith(suffix)),
  )?.kind;
}
