// What looks like a credential, whoever wrote it and wherever it stands in a line: values after a scheme of HTTP, assertions and JWTs, tokens
// of this project, private keys, and the password in a URL.
const CREDENTIALS: readonly (readonly [pattern: RegExp, replacement: string])[] = [
  [/\b(bearer|basic|agentassertion)(\s+|%20|\+)[\w.~+/=%-]{8,}/giu, "$1$2[hidden]"],
  [/\beyJ[\w-]{8,}(?:\.[\w-]*){0,4}/gu, "[hidden]"],
  [/cs(?:_|%5f)[a-z]+(?:_|%5f)[\w%-]{8,}/giu, "[hidden]"],
  [/\bM[CF][4E]CAQ[\w+/=]{16,}/gu, "[hidden]"],
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/gsu, "[hidden]"],
  [/(\b[a-z][a-z0-9+.-]*:\/\/[^\s/:@"?#]*):[^\s"]*@/giu, "$1:[hidden]@"],
];
// Members that hold a credential by their name, of any form: headers first.
const SECRET_MEMBERS =
  /("(?:proxy-)?authorization"|"x-openai-authorization"|"x-api-key"|"(?:set-)?cookie"|"(?:[a-z_-]*_)?(?:password|secret|token|private_key)"):"(?:[^"\\]|\\.)*"/giu;
const SECRET_PARAMETERS =
  /([?&;](?:access_token|refresh_token|id_token|token|password|secret|client_secret|api_key|code|biscuit)=)[^&\s"#;]+/giu;

/**
 * Hides credentials in a line of a log, the last thing before it is written: what knows a secret logs none, and this catches what comes
 * with errors of libraries and with what clients send.
 */
export function hideCredentials(line: string): string {
  let shown = line
    .replace(SECRET_MEMBERS, '$1:"[hidden]"')
    .replace(SECRET_PARAMETERS, "$1[hidden]");
  for (const [pattern, replacement] of CREDENTIALS) shown = shown.replace(pattern, replacement);
  return shown;
}
