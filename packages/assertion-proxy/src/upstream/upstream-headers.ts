import { validateHeaderName, validateHeaderValue } from "node:http";
import { comparableName, isConnectionField } from "../head/field-names.js";
import { keptBackKind } from "../head/kept-back-fields.js";
import { REQUEST_ID_FIELD } from "../head/request-origin.js";
import { AssertionProxyError } from "../refusal/assertion-proxy-error.js";

/**
 * Checks the fields that a gateway sets on every request to its upstream, the upstream's credential first of all.
 *
 * @returns them as raw fields
 * @throws {AssertionProxyError} `config_invalid` for a name or value that HTTP does not allow, an empty value, a name twice, and a name
 * that is not the operator's to set: `x-agent-*`, `sec-websocket-*`, `ChatGPT-Account-ID`, `X-Request-Id` and the fields of the connection. A value is never in the message.
 */
export function parseUpstreamHeaders(headers: Readonly<Record<string, string>>): string[] {
  const fields: string[] = [];
  const seen = new Set<string>();
  for (const [name, value] of Object.entries(headers)) {
    const comparable = comparableName(name);
    if (!isHttp(name, value)) throw invalid(name, "is not a header that HTTP allows");
    if (value.trim() === "") throw invalid(name, "is empty");
    if (seen.has(comparable)) throw invalid(name, "is given twice");
    if (isReserved(comparable)) throw invalid(name, "is set by the gateway itself");
    seen.add(comparable);
    fields.push(name, value);
  }
  return fields;
}

function isReserved(name: string): boolean {
  // The credential is the operator's to set.
  const isProxys = keptBackKind(name) === "proxy" && name !== "authorization";
  const isOf = name === "chatgpt-account-id" || name === REQUEST_ID_FIELD;
  return isConnectionField(name) || isProxys || isOf;
}

function isHttp(name: string, value: string): boolean {
  try {
    validateHeaderName(name);
    validateHeaderValue(name, value);
    return true;
  } catch {
    return false;
  }
}

function invalid(name: string, what: string): AssertionProxyError {
  return new AssertionProxyError(
    "config_invalid",
    `the upstream header ${JSON.stringify(name)} ${what}`,
    {
      hint: "give a name and a value as HTTP allows them",
    },
  );
}
