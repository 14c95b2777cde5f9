import { CountersignError } from "@countersign/agent-key";
import { CODE_ROWS, type Code } from "@countersign/agent-key/codes";
import { expect, test } from "vitest";
import { toProblem } from "../src/http/to-problem.js";

// A row as a later version has it; this program has no other word of the code.
const { task_revoked: whole } = CODE_ROWS;
const code = "task_paused" as Code;
Object.assign(CODE_ROWS, { [code]: whole });

test("an authority answers a code that only a row makes known by its name and status", () => {
  const problem = toProblem(new CountersignError(code, "the task is paused"));
  expect(problem).toMatchObject({ status: 401, code, isInternal: false });
  expect(problem.headers).toMatchObject({ "www-authenticate": `AgentAssertion error="${code}"` });
  expect(JSON.parse(problem.body)).toMatchObject({ code, detail: "the task is paused" });
});

test("what a program finds itself stays unnamed, and so does its text", () => {
  const problem = toProblem(new CountersignError("not_logged_in", "in /home/operator"));
  expect(problem).toMatchObject({ status: 500, code: "server_error", isInternal: true });
  expect(problem.body).not.toContain("operator");
});
