/** @internal What is sent back. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const ERROR_TYPE: Readonly<Record<number, string>> = {
  401: "authentication_error",
  403: "permission_error",
  404: "not_found_error",
  429: "rate_limit_error",
};

/** @internal */
export function json(body: unknown, status = 200, headers: Record<string, string> = {}): Answer {
  return {
    status,
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  };
}

/** @internal A refusal as RFC 9457 with a code of the protocol, and again as the API of OpenAI has it. The status is from 400 to 499. */
export function problem(status: number, code: string, detail: string): Answer {
  const headers: Record<string, string> = { "content-type": "application/problem+json" };
  if (status === 401) headers["www-authenticate"] = `AgentAssertion error="${code}"`;
  const error = { message: detail, type: ERROR_TYPE[status] ?? "invalid_request_error", code };
  return { status, headers, body: JSON.stringify({ title: code, status, detail, code, error }) };
}
