import { expect, test } from "vitest";
import { RequestRefusal } from "../refusal/request-refusal.js";
import { problemOf } from "./problem-answer.js";

test("never shows the message of an unexpected error", () => {
  const { code, problem } = problemOf(new TypeError("secret of /srv/gateway"));
  expect(code).toBe("server_error");
  expect(problem.status).toBe(503);
  expect(problem.body).not.toContain("secret");
});

test("shows a refusal's code and message, with its own status if it has one", () => {
  const refusal = new RequestRefusal("invalid_request", "the body is too large", { status: 413 });
  const { code, problem } = problemOf(refusal);
  expect(code).toBe("invalid_request");
  expect(JSON.parse(problem.body)).toMatchObject({
    status: 413,
    code: "invalid_request",
    detail: "the body is too large",
  });
});
