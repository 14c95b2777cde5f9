const PLAIN_NAME = /^[A-Za-z0-9_-]+$/;
const COMPARABLE_NAME = /^[a-z0-9-]*$/;

/**
 * Brings a field name into the form in which names are compared: lower case, and `-` for every character that is not a letter or a digit.
 * Servers that hand fields to programs as variables (CGI and its heirs) make one name of `X-Agent-Task-Id`, `x_agent_task_id` and
 * `X.Agent~Task.Id`.
 */
export function comparableName(name: string): string {
  const lower = name.toLowerCase();
  // As nearly all names are.
  if (COMPARABLE_NAME.test(lower)) return lower;
  return lower.replaceAll(/[^a-z0-9]/g, "-");
}

/** Returns whether a field name has only letters, digits, `-` and `_`, as nearly all fields in use do. */
export function isPlainName(name: string): boolean {
  return PLAIN_NAME.test(name);
}

/** What a message may show of something that should be a field's name: nothing behind a colon, where a whole line has its secret. */
export function shownName(name: unknown): string {
  if (typeof name !== "string") return typeof name;
  return name.replace(/:.*$/s, ": …").slice(0, 64);
}

/** Fields that belong to one connection, or that say where a message ends or goes: each side of a proxy has its own. */
const CONNECTION_FIELDS: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "expect",
  "host",
  "http2-settings",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authentication-info",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/**
 * Returns whether a field belongs to one connection or frames its message, and so is never copied.
 *
 * @param name - comparable, as {@link comparableName} makes it
 * @see RFC 9110 §7.6.1
 */
export function isConnectionField(name: string): boolean {
  return CONNECTION_FIELDS.has(name);
}

/** Fields that a trailer section may not change, beside those of the connection. */
const NOT_IN_TRAILERS: ReadonlySet<string> = new Set([
  "age",
  "authorization",
  "cache-control",
  "chatgpt-account-id",
  "content-encoding",
  "content-range",
  "content-type",
  "cookie",
  "date",
  "expires",
  "location",
  "max-forwards",
  "range",
  "retry-after",
  "set-cookie",
  "vary",
  "warning",
  "www-authenticate",
]);

/**
 * Returns whether a field may not be in a trailer section: framing, routing, authentication, content format.
 *
 * @param name - comparable
 * @see RFC 9110 §6.5.1
 */
export function isForbiddenTrailer(name: string): boolean {
  return isConnectionField(name) || NOT_IN_TRAILERS.has(name);
}
