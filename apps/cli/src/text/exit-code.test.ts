import { CountersignError } from "@countersign/agent-key";
import { CODES } from "@countersign/agent-key/codes";
import { expect, test } from "vitest";
import { CliError } from "./cli-error.js";
import { exitCodeOf, hintOf } from "./exit-code.js";

test("every code of the protocol has an exit code from 1 to 5", () => {
  for (const code of CODES) {
    expect([1, 2, 3, 4, 5]).toContain(exitCodeOf(new CountersignError(code, "")));
  }
});

test.each([
  ["usage", 2],
  ["config_invalid", 2],
  ["unknown_feature", 2],
  ["not_logged_in", 3],
  ["no_identity", 3],
  ["unauthenticated", 4],
  ["agent_revoked", 4],
  ["task_revoked", 4],
  ["unreachable", 5],
  ["timeout", 5],
  ["rate_limited", 5],
  ["store_corrupt", 1],
  ["internal", 1],
  ["address_in_use", 1],
] as const)("%s exits with %i", (code, exitCode) => {
  expect(exitCodeOf(new CountersignError(code, ""))).toBe(exitCode);
});

test("a temporary error exits with 5, whichever its code is", () => {
  expect(exitCodeOf(new CountersignError("forbidden", "", { retryable: true }))).toBe(5);
});

test("an error may say its exit code itself", () => {
  expect(exitCodeOf(new CliError("invalid_request", "", { exitCode: 2 }))).toBe(2);
});

test("a hint is the error's own, else its code's, else its exit code's", () => {
  expect(hintOf(new CountersignError("malformed", "", { hint: "own" }))).toBe("own");
  expect(hintOf(new CountersignError("malformed", ""))).toContain("countersign header");
  expect(hintOf(new CountersignError("expired", ""))).toContain("clock");
  expect(hintOf(new CountersignError("timeout", ""))).toContain("try again");
});
