const PROBLEM = "application/problem+json";
const problem = (code: unknown, more: object = {}) =>
  JSON.stringify({ status: 401, code, ...more });

const answer = (
  name: string,
  code: string | null,
  wwwAuthenticate: string | null,
  contentType: string | null = null,
  body = "",
) => ({ name, www_authenticate: wwwAuthenticate, content_type: contentType, body, code });

/** Refusals of resource servers as a client reads them, and what a status alone means. */
export const refusalsFile = {
  form: "countersign.refusals/1",
  description:
    "The code that a client reads from a resource server's refusal: from WWW-Authenticate (several lines joined by a comma and a space), else from problem+json. null: no code that is known. statuses: the code that stands for the status of an answer of an authority without a known code.",
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
    answer("nothing", null, null),
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
};
