import { expect, test } from "vitest";
import { CODES, type Code, codeRow, hasInRow, hintOfCode } from "./codes.js";

const codesWhere = (isWanted: (code: Code) => boolean) => CODES.filter(isWanted);

// Rules of protocol §9 and §10 that hold across rows.
test("what a program finds itself leads to no recovery", () => {
  for (const code of codesWhere((each) => hasInRow(each, "givenBy", "self"))) {
    expect(codeRow(code)).toMatchObject({ onAssertion: "hand_up", onRegistration: "hand_up" });
  }
});

test("a recovery on an assertion belongs to a code of a verifier that is answered with 401", () => {
  for (const code of codesWhere((each) => !hasInRow(each, "onAssertion", "hand_up"))) {
    expect(codeRow(code)).toMatchObject({ givenBy: "verifier", status: 401 });
  }
});

test("a refusal never lets the human's bearer out", () => {
  expect(codesWhere((code) => codeRow(code).allowsFallback)).toEqual([
    "rate_limited",
    "timeout",
    "unreachable",
    "server_error",
  ]);
});

test("a hint names the authority in question, or says that it is the authority", () => {
  const authority = "https://authority.example/$&";
  expect(hintOfCode("agent_revoked", authority)).toContain(`the operator of ${authority} revoked`);
  expect(hintOfCode("agent_revoked")).toContain("the operator of the authority revoked");
  expect(hintOfCode("internal", authority)).toBeUndefined();
  for (const code of CODES) expect(hintOfCode(code) ?? "").not.toMatch(/[{}]/);
});

test("a code of another version leads to nothing by its name", () => {
  for (const code of ["task_paused", "constructor", "__proto__"] as string[] as Code[]) {
    expect(codeRow(code)).toBe(codeRow("internal"));
    expect(hasInRow(code, "onAssertion", "new_task")).toBe(false);
    expect(hintOfCode(code)).toBeUndefined();
  }
});
