import { AssertionProxyError } from "../refusal/assertion-proxy-error.js";
import { comparableName, isConnectionField, isPlainName, shownName } from "./field-names.js";
import { keptBackKind } from "./kept-back-fields.js";

const FIELD_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;

/** What {@link parseForwardHeaders} compares with. Both take comparable names. */
export interface ReservedNames {
  /** Fields that the proxy itself sets, or reads and keeps. */
  readonly own: ReadonlySet<string>;
  /** Returns whether no other name may compare equal to this one. */
  readonly isReserved: (name: string) => boolean;
}

/**
 * Checks the names of client fields that an operator lets pass although a proxy drops them by default.
 *
 * @returns the names in lower case; nothing else of them is changed, so that only what was named passes
 * @throws {AssertionProxyError} `config_invalid` for a text that is not a field name; for fields of the connection, `Authorization`, `Cookie`,
 * `x-agent-*`, `sec-websocket-*`, what names another method or URL, and the proxy's own; and for a name with other characters than letters,
 * digits, `-` and `_` that compares equal to a reserved one
 */
export function parseForwardHeaders(
  names: readonly string[],
  { own, isReserved }: ReservedNames,
): ReadonlySet<string> {
  for (const rawName of names) {
    if (!isFieldName(rawName)) throw invalid(shownName(rawName), "it is not a field name");
    const name = comparableName(rawName);
    const kind = keptBackKind(name);
    if (name === "cookie")
      throw invalid(rawName, "only the package's option forwardCookies lets cookies pass");
    if (isConnectionField(name)) throw invalid(rawName, "it belongs to one connection");
    if (kind === "request") throw invalid(rawName, "it changes which request this is");
    if (kind === "proxy" || own.has(name))
      throw invalid(rawName, "the proxy sets it, or takes it for itself");
    if (!isPlainName(rawName) && isReserved(name)) {
      throw invalid(rawName, `it compares equal to ${name}`);
    }
  }
  return new Set(names.map((name) => name.toLowerCase()));
}

function isFieldName(name: unknown): name is string {
  return typeof name === "string" && FIELD_NAME.test(name);
}

function invalid(name: string, why: string): AssertionProxyError {
  return new AssertionProxyError(
    "config_invalid",
    `the client's field ${JSON.stringify(name)} cannot be forwarded: ${why}`,
    { hint: "give the name of another field, such as OpenAI-Organization" },
  );
}
