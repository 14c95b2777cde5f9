import { describe, expect, test } from "vitest";
import { CODES } from "../codes.js";
import { createProblem, statusOf } from "./create-problem.js";

describe("statusOf", () => {
  test.each([
    [
      401,
      [
        "missing",
        "malformed",
        "expired",
        "not_yet_valid",
        "unknown_agent",
        "bad_signature",
        "agent_revoked",
        "agent_expired",
        "unknown_task",
        "task_revoked",
        "task_expired",
        "binding_required",
        "binding_mismatch",
        "replayed",
        "unauthenticated",
        "biscuit_invalid",
      ],
    ],
    [403, ["forbidden"]],
    [400, ["invalid_request"]],
    [409, ["invalid_key"]],
    [429, ["rate_limited"]],
    [502, ["upstream_refused"]],
    [503, ["server_error"]],
  ] as const)("answers %i with the codes of the protocol", (status, codes) => {
    for (const code of codes) expect(statusOf(code)).toBe(status);
  });

  test("has an error status for every code", () => {
    for (const code of CODES) expect(statusOf(code)).toBeGreaterThanOrEqual(400);
  });
});

describe("createProblem", () => {
  test("repeats no credential that was sent", () => {
    const token = `cs_human_${"A".repeat(43)}`;
    const { body } = createProblem("bad_signature", `it covers /v1/${token} as its target`);
    const shown = "it covers /v1/[hidden] as its target";
    expect(JSON.parse(body)).toMatchObject({ detail: shown, error: { message: shown } });
  });

  test("carries the code in the body and, on 401, in WWW-Authenticate", () => {
    const { status, headers, body } = createProblem("task_revoked", "the task was revoked");
    expect(status).toBe(401);
    expect(headers).toEqual({
      "content-type": "application/problem+json",
      "cache-control": "no-store",
      "www-authenticate": 'AgentAssertion error="task_revoked"',
    });
    expect(JSON.parse(body)).toEqual({
      title: "Unauthorized",
      status: 401,
      code: "task_revoked",
      detail: "the task was revoked",
      error: {
        message: "the task was revoked",
        type: "authentication_error",
        code: "task_revoked",
      },
    });
  });

  test("asks for no credential with another status", () => {
    const { status, headers, body } = createProblem("unknown_agent", undefined, { status: 404 });
    expect(status).toBe(404);
    expect(headers).not.toHaveProperty("www-authenticate");
    expect(JSON.parse(body)).toEqual({
      title: "Not Found",
      status: 404,
      code: "unknown_agent",
      error: { message: "Not Found", type: "not_found_error", code: "unknown_agent" },
    });
  });

  test.each([
    [400, "invalid_request_error"],
    [401, "authentication_error"],
    [403, "permission_error"],
    [404, "not_found_error"],
    [409, "invalid_request_error"],
    [429, "rate_limit_error"],
    [499, "invalid_request_error"],
    [500, "server_error"],
    [503, "server_error"],
  ])("repeats the refusal as an API of OpenAI has it with status %i: %s", (status, type) => {
    const { body } = createProblem("refused", "why", { status });
    expect(JSON.parse(body).error).toEqual({ message: "why", type, code: "refused" });
  });

  test("has a message also if it has neither detail nor title", () => {
    const message = (detail: string | undefined, status: number) =>
      JSON.parse(createProblem("refused", detail, { status }).body).error.message;
    expect(message("", 404)).toBe("Not Found");
    expect(message(undefined, 499)).toBe("refused");
  });

  test("says in whole seconds when to come back", () => {
    const after = (retryAfterSeconds: number) =>
      createProblem("rate_limited", "slow down", { retryAfterSeconds }).headers["retry-after"];
    expect(after(1.2)).toBe("2");
    expect(after(-1)).toBe("0");
    expect(createProblem("rate_limited").headers).not.toHaveProperty("retry-after");
  });
});
