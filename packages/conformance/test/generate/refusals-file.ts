const PROBLEM = "application/problem+json";
const problem = (code: unknown, more: object = {}) =>
  JSON.stringify({ status: 401, code, ...more });

const answer = (
  name: string,
  code: string | null,
  wwwAuthenticate: string | readonly string[] | null,
  contentType: string | null = null,
  body = "",
) => ({ name, www_authenticate: wwwAuthenticate, content_type: contentType, body, code });

/** A problem of this many bytes. */
function ofLength(bytes: number, code = "agent_expired"): string {
  const empty = problem(code, { detail: "" });
  return problem(code, { detail: "x".repeat(bytes - empty.length) });
}

const sent = (code: string, status: number, errorType: string, more: object = {}) => ({
  code,
  status,
  www_authenticate: status === 401 ? `AgentAssertion error="${code}"` : null,
  error_type: errorType,
  ...more,
});

const fromAuthority = (...parts: Parameters<typeof answer>) => ({
  ...answer(...parts),
  authority: true,
});

/** Refusals of resource servers as a client reads them, and what a status alone means. */
export const refusalsFile = {
  form: "countersign.refusals/1",
  description:
    "The code that a client reads from a resource server's refusal: from WWW-Authenticate (its lines, where it is a list), else from problem+json. null: no code that is known. authority: the refusal is an authority's. statuses: the code that stands for the status of an answer of an authority without a known code. sent: the refusal that a server sends for a code, with the status of the table or, where other_status is, with this one.",
  answers: [
    answer("a challenge", "task_revoked", 'AgentAssertion error="task_revoked"'),
    answer("a challenge without quotes", "task_revoked", "AgentAssertion error=task_revoked"),
    answer(
      "error behind realm",
      "bad_signature",
      'AgentAssertion realm="r", error="bad_signature"',
    ),
    answer("blanks around =", "expired", 'AgentAssertion error = "expired"'),
    answer("the scheme and the name in other cases", "expired", 'agentASSERTION ERROR="expired"'),
    answer(
      "behind another challenge",
      "unknown_task",
      'Bearer realm="x", AgentAssertion error="unknown_task"',
    ),
    answer(
      "before another challenge",
      "unknown_task",
      'AgentAssertion error="unknown_task", Bearer error="invalid_token"',
    ),
    answer(
      "of two challenges the first with error",
      "unknown_task",
      'AgentAssertion realm="a", AgentAssertion error="unknown_task", AgentAssertion error="expired"',
    ),
    answer("error of another scheme alone", null, 'Bearer error="expired"'),
    answer("error in a text of another parameter", null, 'AgentAssertion realm="x, error=expired"'),
    answer("an escaped character", "expired", 'AgentAssertion error="expi\\red"'),
    answer(
      "a challenge before the body",
      "expired",
      'AgentAssertion error="expired"',
      PROBLEM,
      problem("task_revoked"),
    ),
    answer(
      "the body if the challenge has no code",
      "task_revoked",
      "AgentAssertion",
      PROBLEM,
      problem("task_revoked"),
    ),
    answer(
      "the body if the challenge's code is not known",
      "task_revoked",
      'AgentAssertion error="new_code"',
      PROBLEM,
      problem("task_revoked"),
    ),
    answer("the body alone", "agent_expired", null, PROBLEM, problem("agent_expired")),
    answer(
      "problem+json with a charset",
      "agent_expired",
      null,
      `${PROBLEM}; charset=utf-8`,
      problem("agent_expired"),
    ),
    answer("a body of another type", null, null, "application/json", problem("agent_expired")),
    answer("a body that is not JSON", null, null, PROBLEM, "expired"),
    answer("a code that is not known", null, null, PROBLEM, problem("new_code")),
    answer("a code that no server sends", null, null, PROBLEM, problem("store_corrupt")),
    answer("a code that no server sends, in a challenge", null, 'AgentAssertion error="usage"'),
    answer("a code that is not a text", null, null, PROBLEM, problem(1)),
    answer(
      "the member error is not read",
      null,
      null,
      PROBLEM,
      problem(undefined, { error: { code: "expired" } }),
    ),
    answer("a code of itself, in a challenge", "timeout", 'AgentAssertion error="timeout"'),
    answer("a code of itself, in the body", "unreachable", null, PROBLEM, problem("unreachable")),
    answer("the second of two lines", "expired", [
      'Bearer realm="x"',
      'AgentAssertion error="expired"',
    ]),
    answer("the first of two lines with error", "unknown_task", [
      "AgentAssertion",
      'AgentAssertion error="unknown_task"',
      'AgentAssertion error="expired"',
    ]),
    answer(
      "an unknown code, then a challenge with a known one",
      null,
      'AgentAssertion error="new_code", AgentAssertion error="expired"',
    ),
    answer(
      "an unknown code, then a challenge with a known one, and the body",
      "task_revoked",
      'AgentAssertion error="new_code", AgentAssertion error="expired"',
      PROBLEM,
      problem("task_revoked"),
    ),
    answer("a scheme that ends in the name", null, 'XAgentAssertion error="expired"'),
    fromAuthority("authority: the body", "agent_revoked", null, PROBLEM, problem("agent_revoked")),
    fromAuthority("authority: a challenge is not read", null, 'AgentAssertion error="expired"'),
    fromAuthority(
      "authority: the body, not the challenge",
      "task_revoked",
      'AgentAssertion error="expired"',
      PROBLEM,
      problem("task_revoked"),
    ),
    fromAuthority("authority: a code of itself", null, null, PROBLEM, problem("timeout")),
    fromAuthority("authority: a code that no server sends", null, null, PROBLEM, problem("usage")),
    fromAuthority(
      "authority: a code of a server",
      "upstream_refused",
      null,
      PROBLEM,
      problem("upstream_refused"),
    ),
    fromAuthority(
      "authority: the limit of agents",
      "agent_limit",
      null,
      PROBLEM,
      problem("agent_limit", { status: 403 }),
    ),
    fromAuthority(
      "authority: the limit of tasks",
      "task_limit",
      null,
      PROBLEM,
      problem("task_limit", { status: 403 }),
    ),
    answer("nothing", null, null),
    answer("a body of 64 KiB", "agent_expired", null, PROBLEM, ofLength(65_536)),
    answer("a body of 64 KiB and a byte", null, null, PROBLEM, ofLength(65_537)),
    answer(
      "a body of 64 KiB and a byte behind a challenge",
      "expired",
      'AgentAssertion error="expired"',
      PROBLEM,
      ofLength(65_537),
    ),
    fromAuthority(
      "authority: a body of 64 KiB and a byte",
      "agent_expired",
      null,
      PROBLEM,
      ofLength(65_537),
    ),
  ],
  statuses: [
    ...[400, 404, 405, 409, 413, 415, 422].map((status) => ({ status, code: "invalid_request" })),
    { status: 401, code: "unauthenticated" },
    { status: 403, code: "forbidden" },
    { status: 429, code: "rate_limited" },
    { status: 402, code: "refused" },
    { status: 418, code: "refused" },
    { status: 500, code: "server_error" },
    { status: 502, code: "server_error" },
    { status: 599, code: "server_error" },
    { status: 302, code: "bad_response" },
  ],
  sent: [
    sent("task_revoked", 401, "authentication_error"),
    sent("unauthenticated", 401, "authentication_error"),
    sent("forbidden", 403, "permission_error"),
    sent("invalid_request", 400, "invalid_request_error"),
    sent("invalid_request", 413, "invalid_request_error", { other_status: true }),
    sent("unknown_agent", 404, "not_found_error", {
      name: "404 unknown_agent",
      other_status: true,
    }),
    sent("invalid_key", 409, "invalid_request_error"),
    sent("rate_limited", 429, "rate_limit_error"),
    sent("upstream_refused", 502, "server_error"),
    sent("server_error", 503, "server_error"),
    sent("server_error", 500, "server_error", { other_status: true }),
  ],
};
