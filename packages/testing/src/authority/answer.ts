/** @internal What is sent back. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** @internal */
export function json(body: unknown, status = 200, headers: Record<string, string> = {}): Answer {
  return {
    status,
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  };
}

/** @internal A refusal as RFC 9457 with a code of the protocol. */
export function problem(status: number, code: string, detail: string): Answer {
  const headers: Record<string, string> = { "content-type": "application/problem+json" };
  if (status === 401) headers["www-authenticate"] = `AgentAssertion error="${code}"`;
  return { status, headers, body: JSON.stringify({ title: code, status, detail, code }) };
}
